"""What a new password ends beside the sessions."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from knox.models import AuthToken


class EndsTokens:
    """Among AUTH_PASSWORD_VALIDATORS for their hook: Django calls it wherever a password was set and saved."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Every password will do."""

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if user:
            AuthToken.objects.filter(user=user).delete()
