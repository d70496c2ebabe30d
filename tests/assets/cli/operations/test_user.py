"""`ava user`: who may use the console, from the command line."""

from __future__ import annotations

from typer.testing import CliRunner

from ava_assets.cli.main import app
from ava_core.base.settings import load_settings
from ava_core.store import audit_log, open_store, users


def test_a_user_is_added_listed_and_gets_a_new_password() -> None:
    run = CliRunner()
    added = run.invoke(
        app, ["user", "add", "nadia", "--role", "admin", "--password", "a long enough password"]
    )
    assert added.exit_code == 0, added.output
    assert "nadia can now sign in as admin." in added.output
    assert "admin" in run.invoke(app, ["user", "list"]).output
    store = open_store(load_settings())
    assert users.sign_in(store, "nadia", "a long enough password")
    changed = run.invoke(app, ["user", "password", "nadia", "--password", "another long password"])
    assert changed.exit_code == 0, changed.output
    assert users.sign_in(store, "nadia", "another long password")
    assert {"add user", "set password"} <= {entry.action for entry in audit_log.newest(store)}
