// Passkeys: a form with data-passkey asks the browser for one, and posts what it answers.
// Without scripts the forms stay hidden; a code or a password always does instead.
const { webauthnJSON } = window;

const optionsOf = async (form) => {
  if (form.dataset.passkey !== "sign-in") {
    return JSON.parse(document.getElementById("passkey-options").textContent);
  }
  const response = await fetch(form.action, { headers: { Accept: "application/json" } });
  return response.json();
};

const add = (options, isEnough) => {
  const selection = options.publicKey.authenticatorSelection;
  selection.residentKey = isEnough ? "required" : "discouraged";
  selection.requireResidentKey = isEnough;
  if (isEnough) selection.userVerification = "required";
  return webauthnJSON.create(options);
};

const ask = async (form) => {
  const options = await optionsOf(form);
  if (form.dataset.passkey === "add") return add(options.creation_options, form.passwordless.checked);
  return webauthnJSON.get(options.request_options);
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = form.querySelector("[data-passkey-error]");
    error.hidden = true;
    try {
      form.credential.value = JSON.stringify(await ask(form));
    } catch {
      error.hidden = false; // cancelled, timed out, or refused by the browser
      return;
    }
    form.submit();
  });
}
