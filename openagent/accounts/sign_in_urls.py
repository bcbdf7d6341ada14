"""Of allauth's addresses the few that the product uses, below /_allauth/.

The rest of its API is for people who sign up and look after their addresses by themselves: with it a user
could take an e-mail address that nobody has proven to be theirs, and find out which ones are taken.
"""

from allauth.headless.account import views
from allauth.headless.constants import Client
from django.urls import path

urlpatterns = [
    path(f"browser/v1/{address}", view.as_api_view(client=Client.BROWSER))
    for address, view in {
        "auth/login": views.LoginView,
        "auth/session": views.SessionView,
        "account/password/change": views.ChangePasswordView,
    }.items()
]
