"""Files that code actions are tried on, one a language, with every kind of definition."""

PYTHON = '''\
"""Module."""


@dec(1)
async def fetch(url: str, tries=3, *rest: int, key, **more) -> dict[str, int]:
    # why
    """Get it."""
    raise errors.NotFound(url)


class Outer(Base):
    """A class."""

    class Inner:
        def m(self, a): return a

        @staticmethod
        def s(self): ...

    @property
    def size(self):
        def helper(n):
            raise KeyError
        yield helper(1)


double = lambda x: 2 * x
'''
SCRIPT = """\
/** doc */
export default async function f(a, b = 2, {c, d}, ...rest) { throw new Error("x"); return 1 }
export class A {
  /** d */
  static async foo(x) {}
  get y() { return 1 }
  #p = (z) => z * 2
  constructor(q) {}
}
const k = async x => { return x }, q = function (a) {}
module.exports.foo = function (a) {}
const o = { m(a) {}, 'n': b => b }
function* gen() { yield 1 }
"""
TYPED = """\
export abstract class A<T> extends B {
  constructor(private readonly a: string, b?: number) { super() }
  abstract m(x: T): void;
  @dec()
  foo<K>(this: A, ...r: K[]): Promise<void> {}
}
export function f(a: number): string
export function f(a: any): any { return a }
interface I { m(x: number): string; p: string }
export const g = <T,>(x: T): T => x
"""
JAVA = """\
/** d */
@Deprecated
public class A<T> {
  /** x */
  @Override public <K> int foo(final String a, int... b) throws IOException {
    throw new IllegalStateException();
  }
  A(int q) { }
  interface I { void m(int x); }
  record R(int a, String b) {}
}
"""
GO = """\
package p

// F does.
// More.
func F(a, b int, c ...string) (int, error) { return 1, nil }

func (s *Server) Do(ctx context.Context) { panic("x") }

type T struct { A int }
"""
RUST = """\
/// doc
#[derive(Debug)]
pub struct S { a: i32 }
impl<T> S {
    /// d
    #[inline]
    pub async fn foo(&self, mut a: i32) -> Result<(), E> { Ok(()) }
}
fn f<T: Ord>(a: &[T], _: u8) {}
trait Tr { fn m(&self, x: u8) -> u8; }
"""
CPP = """\
/// doc
template <typename T>
int foo(const T& a, int b = 3, char* c[]) noexcept { throw std::runtime_error("x"); }
class A : public B { public: A(int x) : x_(x) {} virtual int m(int y) const { return y; } };
int A::bar(int (*fn)(int), int&& z) { return 1; }
struct S *none;
"""
C = """\
// no doc comment
static int *find(int a, char **b, int n[], void (*cb)(int), ...) { return 0; }
void g(void) {}
int proto(int a);
"""
DESCRIBED = [
    (
        "python",
        PYTHON,
        [
            "@dec(1) function fetch(url: str, tries=3, *rest: int, key, **more) -> dict[str, int] "
            "!errors.NotFound returns async doc",
            "class Outer() doc",
            "class Outer.Inner()",
            "method Outer.Inner.m(a) returns",
            "@staticmethod method Outer.Inner.s(self)",
            "@property method Outer.size() yields",
            "function helper(n) !KeyError",
        ],
    ),
    (
        "javascript",
        SCRIPT,
        [
            "function f(a, b=2, options: {c, d}, *rest) !Error returns async doc",
            "class A()",
            "method A.foo(x) async doc",
            "method A.y() returns",
            "method A.#p(z) returns",
            "method A.constructor(q) constructor",
            "function k(x) returns async",
            "function q(a)",
            "function foo(a)",
            "function m(a)",
            "function n(b) returns",
            "function gen() yields",
        ],
    ),
    (
        "typescript",
        TYPED,
        [
            "class A()",
            "method A.constructor(a: string, b: number) constructor",
            "method A.m(x: T) -> void",
            "@dec() method A.foo(*r: K[]) -> Promise<void>",
            "function f(a: number) -> string returns",
            "function f(a: any) -> any returns",
            "class I()",
            "method I.m(x: number) -> string returns",
            "function g(x: T) -> T returns",
        ],
    ),
    (
        "java",
        JAVA,
        [
            "@Deprecated class A() doc",
            "@Override method A.foo(a: String, *b: int) -> int !IOException !IllegalStateException "
            "returns doc",
            "method A.A(q: int) constructor",
            "class A.I()",
            "method A.I.m(x: int) -> void",
            "class A.R(a: int, b: String)",
        ],
    ),
    (
        "go",
        GO,
        [
            "function F(a: int, b: int, *c: string) -> (int, error) returns doc",
            "method Server.Do(ctx: context.Context)",
            "class T()",
        ],
    ),
    (
        "rust",
        RUST,
        [
            "#[derive(Debug)] class S() doc",
            "#[inline] method S.foo(a: i32) -> Result<(), E> returns async doc",
            "function f(a: &[T])",
            "class Tr()",
            "method Tr.m(x: u8) -> u8 returns",
        ],
    ),
    (
        "cpp",
        CPP,
        [
            "function foo(a: T, b: int=3, c: char) -> int !std::runtime_error returns doc",
            "class A()",
            "method A.A(x: int) constructor",
            "method A.m(y: int) -> int returns",
            "method A.bar(fn: int, z: int) -> int returns",
        ],
    ),
    (
        "c",
        C,
        [
            "function find(a: int, b: char, n: int, cb: void) -> int* returns",
            "function g() -> void",
            "function proto(a: int) -> int returns",
        ],
    ),
]
"""(language, text, `picture` of each target in it)."""
