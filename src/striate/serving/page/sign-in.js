// Signing in: the token goes once, in a header, to this service; the page is then asked for again.

const form = document.getElementById("sign-in");
const said = document.getElementById("said");
const TRIED = "striate-tried";

/**
 * Ask the service about its session; answers to a browser that has the cookie already, or sends the token.
 * @param {string} method
 * @param {Record<string, string>} headers
 * @returns {Promise<boolean>} whether the browser is signed in now
 */
async function session(method, headers = {}) {
  const answer = await fetch("/session", { method, headers, credentials: "same-origin" });
  return answer.ok;
}

/** Show the page itself, at the place of it that the address names. */
function goOn() {
  location.reload();
}

/**
 * Go on at once where the browser has the cookie: it is not sent along when a link of another site leads here, so the
 * form is shown, but this page is the service's own. Once only, should the cookie not be taken all the same.
 */
async function recognise() {
  const tried = sessionStorage.getItem(TRIED);
  if (tried || !(await session("GET"))) {
    return;
  }
  sessionStorage.setItem(TRIED, "yes");
  goOn();
}

/** @param {SubmitEvent} event */
async function signIn(event) {
  event.preventDefault();
  const field = form.elements.namedItem("token");
  said.textContent = "";
  try {
    const known = await session("POST", { Authorization: `Bearer ${field.value.trim()}` });
    if (known) {
      goOn();
      return;
    }
    said.textContent = "This is not the token of this service.";
  } catch {
    said.textContent = "The service does not answer. Is it still running?";
  }
  field.select();
}

form.addEventListener("submit", signIn);
recognise();
