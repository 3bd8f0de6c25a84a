from __future__ import annotations

from dataclasses import replace

import pytest
from multidict import CIMultiDict
from tests.engine.serve.harness import OFFER, SETTINGS, run, serving

from mien.errors import SettingError
from mien.serve.access import Access
from mien.serve.refusal import Refusal
from mien.serve.settings import ServeSettings, is_loopback

TOKEN = "correct-horse-battery"
API = "/api/v1/sessions"
LOCAL = {"Host": "localhost:8080"}


def status(access: Access, place: str, **headers: str) -> int:
    told = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    try:
        access.check(place, told)
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer \udcff", 401),
    ],
)
def test_the_right_token_is_needed(given: str, expected: int) -> None:
    assert status(Access(TOKEN), API, Authorization=given, Host="example.org") == expected


def test_with_a_token_only_the_page_the_probes_and_what_the_server_is_are_open() -> None:
    access = Access(TOKEN)
    for place in ("/", "/room/{name}", "/page/{file}", "/healthz", "/readyz", "/api/v1/server"):
        assert status(access, place) == 200
    for place in (API, "/whip", "/whep/{id}", "/metrics", "/api/v1/openapi.json", ""):
        assert status(access, place) == 401


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8080"}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:9090"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "https://evil.example", "Authorization": f"Bearer {TOKEN}"}, 403),
        ({"Host": "evil.example:8080"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "["}, 403),
        ({"Host": "127.0.0.1:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
    ],
)
def test_without_a_token_only_this_machines_own_page_may_ask(headers: dict[str, str], expected: int) -> None:
    assert status(Access(None), API, **LOCAL | headers) == expected


def test_a_link_from_elsewhere_leads_to_the_page() -> None:
    assert status(Access(None), "/", **LOCAL, Sec_Fetch_Site="cross-site") == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_token_is_required_unless_bound_to_loopback(host: str) -> None:
    with pytest.raises(SettingError, match="token"):
        ServeSettings(host=host)
    assert ServeSettings(host=host, token=TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)
    assert ServeSettings(host=host).token is None


@pytest.mark.parametrize("token", ["short", "with a space in it", "line\nbreak-in-the-token", "ümläut-in-the-token"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token: str) -> None:
    with pytest.raises(SettingError, match="at least 16"):
        ServeSettings(token=token)


def test_the_token_is_checked_before_anything_of_a_request_is_read() -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, token=TOKEN)) as place:
            for method, path in [
                ("POST", "/api/v1/sessions"),
                ("POST", "/api/v1/portraits"),
                ("POST", "/whip"),
                ("PATCH", "/whip/x"),
                ("DELETE", "/api/v1/sessions/x"),
                ("GET", "/api/v1/portraits/mira/picture"),
                ("GET", "/metrics"),
                ("GET", "/nowhere"),
            ]:
                answer = await place.ask(method, path, status=401, data=b"\xff" * 1000)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert answer.message.startswith("token: expected Authorization: Bearer")
            assert place.answering.peers == []
            bearing = {"Authorization": f"Bearer {TOKEN}"}
            await place.ask("POST", "/api/v1/sessions", status=201, headers=bearing, json={"sdp": OFFER})
            told = (await place.ask("GET", "/api/v1/server")).json
            assert (told["token_required"], told["authorised"]) == (True, False)
            assert (await place.ask("GET", "/api/v1/server", headers=bearing)).json["authorised"]
            await place.ask("GET", "/healthz")
            await place.ask("GET", "/readyz")

    run(main)


def test_other_origins_are_answered_with_a_token_only() -> None:
    elsewhere = {"Origin": "https://studio.example"}

    async def main() -> None:
        async with serving(replace(SETTINGS, token=TOKEN)) as place:
            bearing = elsewhere | {"Authorization": f"Bearer {TOKEN}"}
            answer = await place.ask("POST", "/whip", status=201, headers=bearing | _SDP, data=OFFER)
            exposed = answer.headers["Access-Control-Expose-Headers"]
            assert all(name in exposed for name in ("Location", "Link", "ETag", "Retry-After"))
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            refused = await place.ask("GET", "/api/v1/sessions", status=401, headers=elsewhere)
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
            assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
            for path in ("/whip", "/api/v1/sessions", "/whep/x"):
                asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
                allowed = await place.ask("OPTIONS", path, status=204, headers=elsewhere | asked)
                names = allowed.headers["Access-Control-Allow-Headers"]
                assert all(name in names for name in ("Authorization", "Content-Type", "If-Match"))
            assert (await place.ask("OPTIONS", "/whip", status=204)).headers["Accept-Post"] == "application/sdp"
        async with serving() as place:
            refused = await place.ask("GET", "/api/v1/sessions", status=403, headers=elsewhere)
            assert "start with --token" in refused.message
            await place.ask("OPTIONS", "/whip", status=204, headers=elsewhere)

    run(main)


_SDP = {"Content-Type": "application/sdp"}
