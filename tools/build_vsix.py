"""Builds `dist/midfill-VERSION.vsix`: the bundled extension, the server's wheel, and what installs that.

A `.vsix` is a zip with a manifest (the format of `vsce package`, written here to do without its two hundred
packages). Needs Node 18 or later with npm for the bundle; the same files give the same bytes.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = ROOT / "editors" / "vscode"
INSTALLER = ("install_server.py", "pip_progress.py", "torch_choice.py", "torch_facts.py")
SHIPPED = ("package.json", "README.md", "dist/extension.js", "dist/NOTICES.txt", "media/*.md")
EPOCH = (2020, 1, 1, 0, 0, 0)
"""Every file's time, so that the same content gives the same bytes."""
CONTENT_TYPES = {
    ".json": "application/json", ".js": "application/javascript", ".md": "text/markdown",
    ".py": "text/x-python", ".txt": "text/plain", ".vsixmanifest": "text/xml", ".whl": "application/zip",
}  # fmt: skip
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011" \
xmlns:d="http://schemas.microsoft.com/developer/vsx-schema-design/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher} />
    <DisplayName>{title}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Tags>{tags}</Tags>
    <Categories>{categories}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine} />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value={kind} />
    </Properties>
    <License>extension/LICENSE.txt</License>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code" /></Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md"
      Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt"
      Addressable="true" />
  </Assets>
</PackageManifest>
"""


def manifest(package: dict[str, object]) -> str:
    """`extension.vsixmanifest` for a package.json."""

    def listed(key: str) -> str:
        values = package[key]
        assert isinstance(values, list)
        return ",".join(map(str, values))

    engines = package["engines"]
    assert isinstance(engines, dict)
    return MANIFEST.format(
        name=quoteattr(str(package["name"])),
        version=quoteattr(str(package["version"])),
        publisher=quoteattr(str(package["publisher"])),
        title=escape(str(package["displayName"])),
        description=escape(str(package["description"])),
        tags=escape(listed("keywords")),
        categories=escape(listed("categories")),
        engine=quoteattr(str(engines["vscode"])),
        kind=quoteattr(listed("extensionKind")),
    )


def content_types(names: list[str]) -> str:
    """`[Content_Types].xml`: the type of every ending among `names`. KeyError for one that is not known."""
    endings = sorted({Path(name).suffix for name in names})
    types = "".join(
        f'<Default Extension="{ending}" ContentType="{CONTENT_TYPES[ending]}"/>' for ending in endings
    )
    space = "http://schemas.openxmlformats.org/package/2006/content-types"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="{space}">{types}</Types>\n'


def write(target: Path, files: dict[str, bytes]) -> None:
    """A zip of `files`, by their names inside the extension's folder."""
    package = json.loads(files["package.json"])
    inside = {f"extension/{name}": content for name, content in sorted(files.items())}
    whole = {
        "extension.vsixmanifest": manifest(package).encode(),
        "[Content_Types].xml": content_types([*inside, "extension.vsixmanifest"]).encode(),
        **inside,
    }
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in whole.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


def build_wheel() -> tuple[str, bytes]:
    """Name and bytes of Midfill's wheel, built with hatchling as it is here: no isolation, no network."""
    with tempfile.TemporaryDirectory() as folder:
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], ROOT)
        (wheel,) = Path(folder).iterdir()
        return wheel.name, wheel.read_bytes()


def get_packages() -> None:
    """What the bundle is made of, from npm's registry, where it is not here as the lock file has it."""
    stamp = EXTENSION / "node_modules" / ".midfill-lock"
    wanted = (EXTENSION / "package-lock.json").read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], EXTENSION)
        stamp.write_text(wanted, encoding="utf-8")


def bundle() -> None:
    """Type-check the TypeScript and bundle it."""
    _run(["npm", "run", "--silent", "check"], EXTENSION)
    _run(["npm", "run", "--silent", "build"], EXTENSION)


def _run(command: list[str], folder: Path) -> None:
    program = shutil.which(command[0])
    if program is None:
        sys.exit(f"vsix: {command[0]} is needed (Node 18 or later), and is not on PATH")
    ended = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        sys.exit(f"vsix: {' '.join(command)} failed:\n{ended.stdout}")


def build(folder: Path = ROOT / "dist") -> Path:
    """Everything. Returns the `.vsix`."""
    get_packages()
    bundle()
    name, wheel = build_wheel()
    paths = [path for pattern in SHIPPED for path in sorted(EXTENSION.glob(pattern))]
    files = {path.relative_to(EXTENSION).as_posix(): path.read_bytes() for path in paths}
    files |= {f"server/{script}": (ROOT / "tools" / script).read_bytes() for script in INSTALLER}
    files |= {f"server/{name}": wheel, "LICENSE.txt": (ROOT / "LICENSE").read_bytes()}
    version = json.loads(files["package.json"])["version"]
    target = folder / f"midfill-{version}.vsix"
    write(target, files)
    return target


if __name__ == "__main__":
    built = build()
    print(f"vsix: {built.relative_to(ROOT)}, {built.stat().st_size / 1e6:.1f} MB")
    print(f"vsix: install it with `code --install-extension {built.relative_to(ROOT)}`")
