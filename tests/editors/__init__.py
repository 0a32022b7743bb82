"""A package, unlike the other folders: fixtures of scope `package` end with it, Playwright's event loop
above all. Without this file they would last for the session, and asynchronous tests behind them would fail.
"""
