"""The addresses of accounts, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from openagent.accounts import api

router = SimpleRouter()
router.register("tokens", api.TokenViewSet, basename="token")

urlpatterns = [
    path("setup/", api.SetupView.as_view(), name="setup"),
    path("me/", api.MeView.as_view(), name="me"),
    path("me/browsers/", api.BrowserListView.as_view(), name="browsers"),
    path("me/browsers/<slug:id>/", api.BrowserView.as_view(), name="browser"),
    path("groups/", api.GroupListView.as_view(), name="groups"),
    path("ws-tickets/", api.WsTicketView.as_view(), name="ws-tickets"),
    path("client-errors/", api.ClientErrorView.as_view(), name="client-errors"),
    *router.urls,
]
