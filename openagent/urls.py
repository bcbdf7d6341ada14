"""Every HTTP address: the API, signing in, the admin, health, and the frontend for all the rest."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from openagent import views
from openagent.lib.api import not_found

handler500 = "openagent.views.server_error"

urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics_page),
    path("admin/", admin.site.urls),
    path("_allauth/", include("openagent.accounts.sign_in_urls")),
    path("api/v1/", include("openagent.accounts.urls")),
    path("api/v1/", include("keys_app.api.urls")),
    path("api/v1/", include("sessions_app.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    # The split view loads its script from an address of its own, as our content security policy wants.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path(r"^(api|_allauth|ws|static)(/|$)", not_found),
    re_path(r"^", views.frontend, name="frontend"),
]
