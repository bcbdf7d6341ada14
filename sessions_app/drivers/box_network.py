"""What programs in a box are told of the way out: the proxy, the certificates and the registries of the host.

All of it is environment, so that pip, npm, git and curl work without any set-up and nothing has to be written
into the box.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from sidecar.protocol.egress import EGRESS_PORT

# Where systems keep the certificate authorities that they trust, those of their administrator among them.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
DEBIAN_BUNDLE = _BUNDLES[0]
# Each program has a name of its own for the same file.
_CERTIFICATES = (
    *("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO"),
    *("NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CAFILE"),
)
# The models are reached directly: their gate has a port of its own in the box.
_DIRECT = "localhost,127.0.0.1,::1"


def environment(*, bundle: str, registries: Mapping[str, str]) -> dict[str, str]:
    """For every program in the box; `registries` as the platform knows them, `bundle` may be empty."""
    proxy = f"http://127.0.0.1:{EGRESS_PORT}"
    # Some programs read only one case of these names, curl for example for plain HTTP the lower one.
    proxies = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": _DIRECT}
    return {
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        **(dict.fromkeys(_CERTIFICATES, bundle) if bundle else {}),
        # The system's Python is the box's own: nobody else's packages can be broken in it.
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        **registries,
    }


def host_bundle(inherited: Mapping[str, str]) -> str:
    """The file with the certificate authorities that this host trusts; empty when there is none."""
    named = inherited.get("SSL_CERT_FILE", "")
    return next((path for path in (named, *_BUNDLES) if path and os.path.isfile(path)), "")
