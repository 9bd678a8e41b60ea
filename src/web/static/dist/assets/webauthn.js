// Has the browser ask a security key or a passkey what the page says, and puts the answer into the
// form. What the page says stands in the element with the id `webauthn`.

const box = document.getElementById("webauthn");
const field = document.getElementById("webauthn-answer");
const status = document.getElementById("webauthn-status");
const button = document.getElementById("webauthn-start");
const { ceremony } = box.dataset;
const texts = JSON.parse(box.dataset.texts ?? "{}");

const say = (text) => { status.textContent = text; };

const bytes = (text) => {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
};

const text = (buffer) => {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  return btoa(letters.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const named = (credentials) => credentials.map((it) => ({ ...it, id: bytes(it.id) }));

const creation = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  user: { ...options.user, id: bytes(options.user.id) },
  excludeCredentials: named(options.excludeCredentials),
});

const request = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  allowCredentials: named(options.allowCredentials),
});

const answer = (credential) => {
  const { response } = credential;
  const extensions = JSON.stringify(credential.getClientExtensionResults());
  const it = { id: credential.id, rawId: text(credential.rawId), type: credential.type };
  if (ceremony === "create") {
    return {
      ...it,
      registrationClientExtensions: extensions,
      response: {
        clientDataJSON: text(response.clientDataJSON),
        attestationObject: text(response.attestationObject),
      },
    };
  }
  return {
    ...it,
    assertionClientExtensions: extensions,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: null,
    },
  };
};

const send = (credential) => {
  field.value = JSON.stringify(answer(credential));
  // What else stands in the form is empty: nobody has to type it now.
  field.form.noValidate = true;
  field.form.requestSubmit();
};

const start = async () => {
  if (button) { button.disabled = true; }
  say(ceremony === "create" ? texts.registering : texts.waiting);
  try {
    const options = JSON.parse(box.dataset.options);
    const credential = ceremony === "create"
      ? await navigator.credentials.create({ publicKey: creation(options) })
      : await navigator.credentials.get({ publicKey: request(options) });
    say("");
    send(credential);
  } catch (error) {
    // How a browser says what went wrong tells nobody what to do about it.
    say(texts[error.name] ?? texts.failed);
    if (button) {
      button.disabled = false;
      button.textContent = texts.again;
    }
  }
};

// Beside the question who somebody is, the browser offers their passkeys while they type.
const offer = async () => {
  const can = await window.PublicKeyCredential?.isConditionalMediationAvailable?.();
  if (!can) { return; }
  const stop = new AbortController();
  field.form.addEventListener("submit", () => stop.abort());
  try {
    const publicKey = request(JSON.parse(box.dataset.options));
    const { signal } = stop;
    send(await navigator.credentials.get({ publicKey, mediation: "conditional", signal }));
  } catch {
    // Whoever uses none types their name, as if nothing had been offered.
  }
};

if (ceremony === "offer") {
  offer();
} else if (!window.PublicKeyCredential) {
  say(texts.none);
} else {
  button.hidden = false;
  button.addEventListener("click", start);
  // After a mistake nobody wants to be asked again before they have read of it.
  if (box.dataset.again !== "true") { start(); }
}
