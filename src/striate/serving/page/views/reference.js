// The addresses of the service, written from /openapi.json: what each takes, what it answers, and a line to try it.

import { element, fill } from "../dom.js";

const UNNAMED = "others";

/** The schema behind a reference such as "#/components/schemas/Cell". */
function resolved(schema, document) {
  if (!schema?.$ref) {
    return schema ?? {};
  }
  const parts = schema.$ref.split("/").slice(1);
  return parts.reduce((place, part) => place?.[part], document) ?? {};
}

/** A type in a few words: "integer", "array of number", "gradcam | occlusion". */
function typeOf(schema, document) {
  const found = resolved(schema, document);
  if (found.enum) {
    return found.enum.join(" | ");
  }
  if (found.anyOf) {
    return found.anyOf.map((one) => typeOf(one, document)).join(" or ");
  }
  if (found.type === "array") {
    return `array of ${typeOf(found.items, document)}`;
  }
  return found.type ?? found.title ?? "anything";
}

/** What bounds a value, as the schema has it. */
function limitsOf(schema) {
  const words = [];
  if (schema.minimum !== undefined || schema.maximum !== undefined) {
    words.push(`${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`);
  }
  if (schema.default !== undefined && schema.default !== null) {
    words.push(`default ${JSON.stringify(schema.default)}`);
  }
  return words.join(", ");
}

/** A row of the table of what an address takes. */
function row(name, place, required, schema, description, document) {
  const told = [description, limitsOf(resolved(schema, document))].filter(Boolean).join("; ");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("code", {}, name)),
    element("td", {}, place),
    element("td", {}, typeOf(schema, document)),
    element("td", {}, required ? "needed" : "may be left out"),
    element("td", {}, told),
  );
}

/** Rows for the parameters of an operation, then for the fields of its JSON body. */
function rowsOf(operation, document) {
  const parameters = (operation.parameters ?? []).map((one) =>
    row(one.name, one.in, one.required, one.schema, one.description ?? "", document),
  );
  const body = resolved(operation.requestBody?.content?.["application/json"]?.schema, document);
  const fields = Object.entries(body.properties ?? {}).map(([name, schema]) =>
    row(name, "body", (body.required ?? []).includes(name), schema, schema.description ?? "", document),
  );
  return [...parameters, ...fields];
}

/** The table of what an address takes, or nothing where it takes nothing. */
function tableOf(operation, document) {
  const rows = rowsOf(operation, document);
  if (rows.length === 0) {
    return [];
  }
  const titles = ["name", "where", "type", "", "meaning"].map((title) => element("th", { scope: "col" }, title));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...rows));
  return [element("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "What it takes" }, table)];
}

/** A line for a terminal that asks at this address. */
function lineOf(method, path, operation) {
  const words = ["curl"];
  if (operation.requestBody?.content?.["application/json"]) {
    words.push("--json @request.json");
  } else if (method === "post" && /picture|predict|explain|thumbnails/.test(path)) {
    words.push("--data-binary @picture.png");
  } else if (method !== "get") {
    words.push(`-X ${method.toUpperCase()}`);
  }
  return [...words, `${location.origin}${path}`].join(" ");
}

/** One address with everything that is said of it. */
function operationOf(method, path, operation, document) {
  const title = element(
    "h3",
    { id: `${method}${path.replaceAll(/[^a-z0-9]+/gi, "-")}` },
    element("span", { class: `reference-method reference-${method}` }, method.toUpperCase()),
    " ",
    element("code", {}, path),
  );
  const said = (operation.description || operation.summary || "").split("\n\n").map((text) => element("p", {}, text));
  const line = element("pre", {}, lineOf(method, path, operation));
  return element("section", { class: "reference-operation" }, title, ...said, ...tableOf(operation, document), line);
}

/** Every operation of a document, in groups by their tag, in the order in which the service has them. */
export function groupsOf(document) {
  const groups = new Map();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? UNNAMED;
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, operation }]);
    }
  }
  return groups;
}

/** The whole list. */
function written(document) {
  return [...groupsOf(document)].map(([tag, found]) =>
    element(
      "section",
      { class: "reference-group", "aria-label": tag },
      element("h2", {}, tag),
      ...found.map(({ method, path, operation }) => operationOf(method, path, operation, document)),
    ),
  );
}

/** Ask for the list and show it, or say why it cannot be had. */
async function show() {
  const place = document.getElementById("reference");
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) {
      throw new Error(`the service answers ${answer.status}`);
    }
    fill(place, ...written(await answer.json()));
  } catch (error) {
    const said = `The list of addresses cannot be had: ${error.message}.`;
    fill(place, element("p", { class: "refused", role: "alert" }, said));
  }
}

show();
