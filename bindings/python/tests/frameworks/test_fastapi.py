"""FastAPI's dependencies, with FastAPI itself."""

import json
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from house import AYSE, H1, MERT, Stored, hos  # noqa: E402

from fastapi import Depends, FastAPI, Header  # noqa: E402
from fastapi.testclient import TestClient  # noqa: E402

from hos.contrib.fastapi import bind, require  # noqa: E402


def user(x_user: str = Header(None)):
    return x_user and hos.Uid("S::Account", x_user)


def hall(id: str):
    return hos.Uid("S::Hall", id)


def at(hour: int = 12):
    return {"hour": hour}


class Api(Stored):
    def setUp(self):
        super().setUp()
        engine = self.engine = self.open()
        app = FastAPI()
        actor = bind(lambda: engine, tenant="t1", principal=user, language=lambda request: request.headers.get("x-language", "en"))
        nowhere = bind(lambda: engine, tenant=lambda request: request.headers["x-tenant"], principal=user)

        @app.get("/halls/{id}", dependencies=[Depends(require(actor, "hall.enter", hall, context=at))])
        async def show(id: str):
            return {"entered": id}

        @app.get("/answers/{id}")
        async def answer(answer: hos.Answer = Depends(require(actor, "hall.enter", hall))):
            return {"policies": answer.policies}

        @app.get("/burnt/{id}", dependencies=[Depends(require(actor, "hall.burn", hall))])
        async def burnt(id: str):
            return {"burnt": id}

        @app.get("/elsewhere/{id}", dependencies=[Depends(require(nowhere, "hall.enter", hall))])
        async def elsewhere(id: str):
            return {"entered": id}

        @app.post("/tickets/{id}")
        async def order(id: str, actor: hos.Actor = Depends(actor)):
            answer = await actor.aio.begin("ticket", id, "order", facts={"owner": AYSE, "price": 100})
            return {"allowed": answer.allowed, "message": answer.message()}

        self.client = TestClient(app, raise_server_exceptions=False)

    def get(self, path, who="mert", **headers):
        said = self.client.get(path, headers={**({"x-user": who} if who else {}), **headers})
        return said.status_code, said.json()

    def test_an_action_is_required(self):
        self.assertEqual(self.get("/halls/h1"), (200, {"entered": "h1"}))
        status, said = self.get("/halls/h2")
        self.assertEqual((status, said["detail"]["code"]), (403, "hos.not_permitted"))
        self.assertEqual(said["detail"]["blockers"][0]["code"], "hos.not_permitted")
        status, said = self.get("/halls/h1?hour=23")
        self.assertEqual((status, said["detail"]["code"]), (403, "hos.forbidden"))
        self.assertEqual(self.get("/answers/h1"), (200, {"policies": ["open-halls"]}))

    def test_a_stranger_is_told_no_details(self):
        answer = self.engine.tenant("t1").as_(MERT, language="en").can("hall.burn", H1)
        self.assertTrue(answer.blockers[0].detail)
        said = self.get("/burnt/h1")[1]["detail"]
        self.assertEqual(said["code"], answer.code)
        told = {"code": answer.code, "message": answer.blockers[0].message}
        self.assertEqual(said["blockers"], [{name: text for name, text in told.items() if text is not None}])
        self.assertNotIn(answer.blockers[0].detail, json.dumps(said))

    def test_the_loop_is_not_kept_waiting(self):
        threads = {}

        class Hall:
            def __hos_uid__(self):
                threads["asked"] = threading.get_ident()
                return H1

        async def loop():
            threads["loop"] = threading.get_ident()
            return Hall()

        self.engine.close()
        engine = self.open(directory_age_max_ms=0)
        app = FastAPI()
        actor = bind(lambda: engine, tenant="t1", principal=user)

        @app.get("/", dependencies=[Depends(require(actor, "hall.enter", loop))])
        async def show():
            return {}

        self.assertEqual(TestClient(app).get("/", headers={"x-user": "mert"}).status_code, 200)
        self.assertNotEqual(threads["asked"], threads["loop"])

    def test_the_store_is_opened_off_the_loop(self):
        threads = {"loop": set(), "opened": set()}

        async def user_in_the_loop(x_user: str = Header(None)):
            threads["loop"].add(threading.get_ident())
            return user(x_user)

        def opened():
            threads["opened"].add(threading.get_ident())
            return self.engine

        def language(request):
            return opened() and None

        def tenant(request):
            return opened() and "t1"

        app = FastAPI()
        actor = bind(opened, tenant=tenant, principal=user_in_the_loop, language=language)

        @app.get("/")
        async def show(who: hos.Actor = Depends(actor)):
            return {"allowed": (await who.aio.can("hall.enter", H1)).allowed}

        said = TestClient(app).get("/", headers={"x-user": "mert"})
        self.assertEqual((said.status_code, said.json()), (200, {"allowed": True}))
        self.assertTrue(threads["loop"] and threads["opened"])
        self.assertTrue(threads["loop"].isdisjoint(threads["opened"]), "what may wait does so in a thread")

    def test_who_is_nobody_is_refused(self):
        self.assertEqual(self.get("/halls/h1", who=None)[0], 401)
        self.assertEqual(self.get("/halls/h1", who="nobody")[0], 403)

    def test_doubt_is_a_refusal(self):
        self.assertEqual(self.get("/burnt/h1")[0], 403)
        self.assertEqual(self.get("/elsewhere/h1", **{"x-tenant": "t1"})[0], 200)
        status, said = self.get("/elsewhere/h1", **{"x-tenant": "t9"})
        self.assertEqual((status, said["detail"]["code"]), (400, "hos.tenant_unknown"))
        self.assertEqual(self.get("/halls/" + "x" * 5000)[0], 400)
        self.engine.close()
        self.assertEqual(self.get("/halls/h1")[0], 500)

    def test_writes_are_awaited(self):
        said = self.client.post("/tickets/k-1", headers={"x-user": "ayse"})
        self.assertEqual((said.status_code, said.json()), (200, {"allowed": True, "message": ""}))
        said = self.client.post("/tickets/k-2", headers={"x-user": "mert"})
        self.assertIs(said.json()["allowed"], False)
        self.assertEqual([one.event for one in self.engine.tenant("t1").history("ticket", "k-1")], ["order"])


if __name__ == "__main__":
    unittest.main()
