"""Addresses of signing in and of a person's own settings."""

from django.contrib.auth import views as django_views
from django.urls import URLPattern, URLResolver, path, reverse_lazy

from accounts import views, views_letters, views_people
from accounts.forms import OwnPasswordForm

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", views.sign_in, name="login"),
    path("logout/", views.sign_out, name="logout"),
    path("login/letter/", views_letters.sign_in_letter, name="sign-in-letter"),
    path("login/letter/<str:token>/", views_letters.sign_in_by_letter, name="sign-in-by-letter"),
    path("password/", views_letters.forgotten, name="password_reset"),
    path(
        "password/sent/",
        django_views.PasswordResetDoneView.as_view(template_name="accounts/password_sent.html"),
        name="password_reset_done",
    ),
    path("password/<uidb64>/<token>/", views_letters.NewPassword.as_view(), name="password_reset_confirm"),
    path(
        "account/password/",
        django_views.PasswordChangeView.as_view(
            template_name="accounts/password_change.html",
            form_class=OwnPasswordForm,
            success_url=reverse_lazy("account", query={"new_password": 1}),
        ),
        name="password_change",
    ),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("account/", views.account, name="account"),
    path("account/tokens/<slug:key>/end/", views.end_token, name="account-token-end"),
    path("language/", views.choose_language, name="choose_language"),
    path("theme/", views.choose_theme, name="choose_theme"),
    path("client/", views.choose_client, name="choose_client"),
    path("settings/users/", views_people.listing, name="users"),
    path("settings/users/<int:pk>/on/", views_people.on, name="user-on"),
    path("settings/users/<int:pk>/letter/", views_people.letter, name="user-letter"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
]
