"""The token of a second source's account: from the settings, a variable or a command."""

from __future__ import annotations

import shlex
import subprocess
from typing import Protocol

from pydantic import SecretStr

from pipelines.config.environment import variable
from pipelines.sources.contract import SourceError

COMMAND_SECONDS = 30


class HasToken(Protocol):
    """The part of a settings entry that says where its token is."""

    @property
    def token(self) -> SecretStr | None:
        """The token itself, or `$NAME`."""
        ...

    @property
    def token_command(self) -> str | None:
        """What prints it."""
        ...


def read_token(entry: HasToken, account: str) -> SecretStr:
    """The token, read anew each time, as some expire within a day.

    Raises SourceError, which repeats neither the token nor anything that the command said.
    """
    if entry.token_command is not None:
        token, where = _printed(entry.token_command, account), "what token_command prints"
    else:
        assert entry.token is not None, "settings refuse an entry without one"
        token, where = entry.token.get_secret_value(), "token"
        if token.startswith("$"):
            name = token[1:]
            where = f"the variable {name}"
            token = variable(name) or ""
            if not token:
                raise _error(
                    account, f"the environment variable {name} that 'token' names is not set: "
                    "set it where the nightly run starts"
                )  # fmt: skip
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise _error(account, f"{where} is no token: it is one word of letters, digits and signs")
    return SecretStr(token)


def _printed(command: str, account: str) -> str:
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words, capture_output=True, encoding="utf-8", errors="replace",
            timeout=COMMAND_SECONDS, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (ValueError, IndexError):
        why = "cannot be read as a command: check its quotes"
    except subprocess.TimeoutExpired:
        why = f"took longer than {COMMAND_SECONDS} seconds"
    except subprocess.CalledProcessError as error:
        why = f"ended with {error.returncode}: run it by hand"
    except OSError as error:
        why = f"cannot be started ({error.strerror}): write the whole path of the program"
    else:
        return done.stdout
    raise _error(account, f"its token_command {why}") from None


def _error(account: str, what: str) -> SourceError:
    return SourceError(f"{account} has no token, as {what}.", is_general=True)
