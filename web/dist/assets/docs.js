"use strict";
// Renders /openapi.json: operations by tag, their parameters and bodies, and every schema.

function node(tag, attributes, ...children) {
  const n = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) n.setAttribute(name, value);
  n.append(...children.filter((c) => c !== undefined && c !== ""));
  return n;
}

const nameOf = (ref) => ref.split("/").pop();

// typeText is a schema on one line; a reference links to its section.
function typeText(schema) {
  if (!schema) return "—";
  if (schema.$ref) return node("a", { href: "#" + nameOf(schema.$ref) }, nameOf(schema.$ref));
  const kinds = [].concat(schema.type || (schema.oneOf ? "one of" : "any")).filter((t) => t !== "null");
  const out = node("span");
  if (kinds.includes("array")) out.append("[", typeText(schema.items), "]");
  else out.append(kinds.join(" | ") + (schema.format ? " (" + schema.format + ")" : ""));
  const notes = [];
  if (schema.enum) notes.push(schema.enum.join(" | "));
  if (schema.minimum !== undefined) notes.push("≥ " + schema.minimum);
  if (schema.maximum !== undefined) notes.push("≤ " + schema.maximum);
  if (schema.default !== undefined) notes.push("= " + JSON.stringify(schema.default));
  if (notes.length) out.append(" ", node("code", {}, notes.join(", ")));
  return out;
}

function table(rows) {
  const body = node("tbody");
  for (const [name, must, schema, text] of rows) {
    const first = node("td", {}, node("code", {}, name));
    if (must) first.append(node("span", { class: "must", title: "required" }, " *"));
    body.append(node("tr", {}, first, node("td", {}, typeText(schema)), node("td", {}, text || "")));
  }
  return node("table", {}, body);
}

function fields(schema) {
  const must = schema.required || [];
  return Object.entries(schema.properties || {}).map(([name, s]) => [name, must.includes(name), s, s.description]);
}

function content(what) {
  return Object.entries((what && what.content) || {}).map(([type, media]) =>
    node("p", {}, node("code", {}, type), " ", typeText(media.schema)));
}

function operation(method, path, op) {
  const body = node("div", { class: "body" });
  if (op.description) body.append(node("p", {}, op.description));
  if (op.parameters) {
    body.append(node("h3", {}, "参数 parameters"), table(op.parameters.map((p) =>
      [p.name + " · " + p.in, p.required, p.schema, p.description || (p.schema && p.schema.description)])));
  }
  if (op.requestBody) body.append(node("h3", {}, "请求体 request body"), ...content(op.requestBody));
  body.append(node("h3", {}, "应答 answers"));
  for (const [status, answer] of Object.entries(op.responses || {})) {
    body.append(node("p", {}, node("strong", {}, status), " ", answer.description || ""), ...content(answer));
  }
  return node("details", { id: op.operationId, "data-text": [method, path, op.summary, op.operationId].join(" ").toLowerCase() },
    node("summary", {}, node("span", { class: "method " + method }, method), node("code", {}, path), node("span", {}, op.summary || "")), body);
}

function render(spec) {
  document.getElementById("title").textContent = spec.info.title + " " + spec.info.version;
  document.getElementById("description").textContent = spec.info.description || "";
  const byTag = new Map();
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, op] of Object.entries(methods)) {
      const tag = (op.tags || ["other"])[0];
      if (!byTag.has(tag)) byTag.set(tag, node("section", {}, node("h2", {}, tag)));
      byTag.get(tag).append(operation(method.toUpperCase(), path, op));
    }
  }
  document.getElementById("operations").replaceChildren(...byTag.values());
  const schemas = Object.entries(spec.components.schemas).map(([name, s]) =>
    node("details", { id: name }, node("summary", {}, node("code", {}, name)), node("div", { class: "body" }, table(fields(s)))));
  document.getElementById("schemas").replaceChildren(...schemas);
}

function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

document.getElementById("search").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const d of document.querySelectorAll("#operations details")) d.hidden = !d.dataset.text.includes(wanted);
});
addEventListener("hashchange", reveal);
fetch("/openapi.json").then((r) => r.json()).then((spec) => { render(spec); reveal(); })
  .catch((error) => { document.getElementById("operations").textContent = error.message; });
