/** Making elements: text is always text, never markup. */

/**
 * An element with properties and children.
 *
 * `class`, `for`, `role`, `aria-*`, `data-*` and other names with a hyphen become attributes, `on*` listeners
 * (`onclick: handler`), everything else a property. Children may be nodes, texts, or null for nothing.
 *
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node|string|number|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) assign(made, name, value);
  made.append(...children.filter(present));
  return made;
}

/**
 * The same in the namespace of SVG, where everything but listeners is an attribute.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|number|null|undefined|false)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (present(value)) made.setAttribute(name, String(value));
  }
  made.append(...children.filter(present));
  return made;
}

/** Replace what is inside `root` by `children`. @param {Element} root @param {...any} children */
export function fill(root, ...children) {
  root.replaceChildren(...children.filter(present));
}

const sheets = new Map();

/** Have a style sheet loaded, once. @param {string} address @returns {Promise<void>} */
export function stylesheet(address) {
  if (!sheets.has(address)) {
    sheets.set(
      address,
      new Promise((done) => {
        document.head.append(element("link", { rel: "stylesheet", href: address, onload: done, onerror: done }));
      }),
    );
  }
  return sheets.get(address);
}

function assign(made, name, value) {
  if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
  else if (!present(value)) return;
  else if (["class", "for", "role", "list"].includes(name) || name.includes("-")) made.setAttribute(name, String(value));
  else made[name] = value;
}

function present(value) {
  return value !== null && value !== undefined && value !== false;
}
