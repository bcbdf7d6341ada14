"""The addresses of keys and providers, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from keys_app.api import views

router = SimpleRouter()
router.register("keys", views.KeyViewSet, basename="key")
router.register("providers", views.ProviderViewSet, basename="provider")

urlpatterns = router.urls
