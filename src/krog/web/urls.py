"""All addresses (DESIGN section 7): portal by language, desk, Open API, canonical addresses of things."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from krog.base.settings import settings
from krog.web import canonical, organisation_sign_in, problems, second_factor, sign_in
from krog.web.api.main import api
from krog.web.desk.urls import urlpatterns as desk
from krog.web.portal.urls import urlpatterns as portal

urlpatterns = [
    path("", canonical.home, name="root"),
    path("api/v1/", api.urls),
    path("desk/sign-in", sign_in.sign_in, name="sign-in"),
    path("desk/sign-in/code", second_factor.code, name="second-factor"),
    path("desk/sign-in/set-up", second_factor.enrol, name="second-factor-enrol"),
    path("desk/sign-in/organisation", organisation_sign_in.begin, name="organisation"),
    path("desk/sign-in/organisation/back", organisation_sign_in.back, name="organisation-back"),
    path("desk/sign-in/organisation/signed-out", organisation_sign_in.signed_out, name="organisation-signed-out"),
    path("desk/sign-out", sign_in.sign_out, name="sign-out"),
    path("desk/", include(desk)),
    path("language/<slug:code>", sign_in.choose_language, name="language"),
    *canonical.urlpatterns,
    *i18n_patterns(*portal, prefix_default_language=True),
]
if settings().demo or django_settings.DEBUG:
    urlpatterns.insert(0, path("components/", include("krog.web.components.urls")))

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.page_not_found
handler500 = problems.server_error
