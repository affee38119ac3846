"use strict";
const byId = (id) => document.getElementById(id);

async function call(method, address, body) {
  const response = await fetch(address, {
    method,
    headers: { "Content-Type": "application/json", "X-Chaoban-Request": "start" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const value = text === "" ? {} : JSON.parse(text);
  if (!response.ok) throw new Error(value.detail || value.title);
  return value;
}

function show(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = text === "";
}

const words = { ready: "就绪 ready", degraded: "降级 degraded", unavailable: "不可用 unavailable" };

async function state() {
  const about = await (await fetch("/about.json")).json();
  byId("version").textContent = about.version;
  byId("demo").hidden = !about.demo;
  const ready = await (await fetch("/readyz")).json();
  byId("status").textContent = words[ready.status] || ready.status;
  byId("status").className = "state " + ready.status;
  const rows = ready.checks.map((check) => {
    const row = document.createElement("tr");
    for (const text of [check.name, check.ok ? "✓" : "✗", check.detail || ""]) {
      row.append(Object.assign(document.createElement("td"), { textContent: text }));
    }
    return row;
  });
  byId("checks").querySelector("tbody").replaceChildren(...rows);
  byId("checks").hidden = rows.length === 0;
}

async function me() {
  const response = await fetch("/v1/me");
  const known = response.ok;
  byId("login").hidden = known;
  byId("logout").hidden = !known;
  if (!known) return show("me", "");
  const who = await response.json();
  show("me", `${who.name} · ${who.role}${who.merchant ? " · " + who.merchant : ""}${who.agent ? " · " + who.agent : ""} · ${who.permissions.join(" ")}`);
}

function act(work) {
  return async (event) => {
    event.preventDefault();
    try {
      show("problem", "");
      await work(event);
      await me();
    } catch (error) {
      show("problem", error.message);
    }
  };
}

byId("login").addEventListener("submit", act((event) => {
  const form = new FormData(event.target);
  return call("POST", "/v1/session", { login: form.get("login"), password: form.get("password") });
}));
byId("logout").addEventListener("click", act(() => call("DELETE", "/v1/session")));

state().catch((error) => show("problem", error.message));
me().catch((error) => show("problem", error.message));
