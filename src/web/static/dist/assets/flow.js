// Makes the pages of flows more comfortable. Whatever it does, the pages work without it: they are
// documents with forms. What it says and where it looks stands in the element with the id `flow`.

const page = document.getElementById("flow");
const texts = JSON.parse(page.dataset.texts);

const element = (name, properties, ...content) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content);
  return made;
};

const release = (form) => {
  delete form.dataset.busy;
  form.removeAttribute("aria-busy");
  form.querySelector(".busy")?.classList.remove("busy");
};

// A form is sent once, however often somebody clicks. Its button stays enabled, since a disabled one
// would not be sent along. Whoever stopped it, or waits for long, may send it again: the server knows
// an answer that comes twice.
const sendOnce = () => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) { return; }
    if (form.dataset.busy) {
      event.preventDefault();
      return;
    }
    form.dataset.busy = "true";
    form.setAttribute("aria-busy", "true");
    const button = event.submitter ?? form.querySelector("[type=submit]");
    button?.classList.add("busy");
    window.setTimeout(release, 15000, form);
    // A password manager files what was typed only where it sees a password.
    for (const field of form.querySelectorAll("[data-show]")) { field.type = "password"; }
  });
  // Whoever comes back by the back button may send the form again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) { return; }
    for (const form of document.querySelectorAll("[data-busy]")) { release(form); }
  });
};

const showPasswords = () => {
  for (const field of document.querySelectorAll("input[type=password][data-show]")) {
    const button = element("button", { type: "button", className: "show", title: texts.show });
    button.setAttribute("aria-label", texts.show);
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-controls", field.id);
    button.addEventListener("click", () => {
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      button.title = shown ? texts.hide : texts.show;
    });
    const box = element("div", { className: "secret" });
    const focused = document.activeElement === field;
    field.replaceWith(box);
    box.append(field, button);
    if (focused) { field.focus(); }
  }
};

const warnOfCapsLock = () => {
  for (const field of document.querySelectorAll("input[type=password]")) {
    const hint = element("p", { className: "quiet" });
    hint.setAttribute("role", "status");
    (field.closest(".secret") ?? field).after(hint);
    const look = (event) => {
      hint.textContent = event.getModifierState?.("CapsLock") ? texts.caps : "";
    };
    field.addEventListener("keydown", look);
    field.addEventListener("keyup", look);
    field.addEventListener("blur", () => { hint.textContent = ""; });
  }
};

// The first field that has an error is where to go on, and what is wrong is read out also where it
// stood there already when the page came.
const pointOutErrors = () => {
  document.querySelector("[aria-invalid=true]")?.focus();
  for (const alert of document.querySelectorAll("[role=alert]")) {
    const content = [...alert.childNodes];
    alert.style.minHeight = `${alert.offsetHeight}px`;
    alert.replaceChildren();
    window.setTimeout(() => {
      alert.replaceChildren(...content);
      alert.style.minHeight = "";
    }, 100);
  }
};

// Not in a circle, whatever the server says, and not while a form is on its way: what it leads to says
// more than this page's address does.
const goOn = () => {
  const left = Number(sessionStorage.getItem("went-on")) + 2000 - Date.now();
  const sends = document.querySelector("[data-busy]") ? 500 : 0;
  if (left > 0 || sends > 0) {
    window.setTimeout(goOn, Math.max(left, sends));
    return;
  }
  sessionStorage.setItem("went-on", String(Date.now()));
  window.location.replace(page.dataset.page);
};

// The page goes on by itself as soon as the execution stands elsewhere than the page says.
const watch = () => {
  const form = document.querySelector("[data-watch]");
  if (!form) { return; }
  const shown = form.elements.challenge?.value ?? null;
  const expected = form.dataset.watch;
  let failures = 0;
  const listen = () => {
    const stream = new EventSource(page.dataset.status);
    stream.addEventListener("message", (event) => {
      failures = 0;
      const { state, challenge, fulfilled } = JSON.parse(event.data);
      if (fulfilled || challenge !== shown || (expected && state !== expected)) {
        stream.close();
        goOn();
      }
    });
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) { return; }
      failures += 1;
      window.setTimeout(listen, Math.min(60, 2 ** failures) * 1000);
    });
  };
  listen();
};

const cookie = (name) => {
  const all = document.cookie.split("; ").map((it) => it.split("="));
  return all.find(([key]) => key === name)?.[1] ?? "";
};

// Whoever has set up Duo on their telephone need not say so.
const watchEnrolment = () => {
  const form = document.querySelector("[data-enrolment]");
  if (!form) { return; }
  const headers = { "X-authentik-CSRF": cookie("authentik_csrf") };
  let failures = 0;
  const look = async () => {
    const answer = await fetch(form.dataset.enrolment, { method: "POST", headers }).catch(() => null);
    // Whoever may not ask, or asks about what is gone, need not ask again.
    if ([403, 404].includes(answer?.status)) { return; }
    const said = answer?.ok ? await answer.json().catch(() => null) : null;
    failures = said ? 0 : failures + 1;
    if (said?.duo_response === "success") {
      form.requestSubmit();
    } else if (!form.dataset.busy) {
      window.setTimeout(look, 3000 * Math.min(20, 2 ** failures));
    }
  };
  window.setTimeout(look, 3000);
};

// Whoever opens a way to show who they are wants to type there.
const focusOpened = () => {
  for (const method of document.querySelectorAll("details.method")) {
    method.addEventListener("toggle", () => {
      if (method.open) { method.querySelector("input:not([type=hidden])")?.focus(); }
    });
  }
};

// Nobody gets a second mail before the first can have come.
const countDown = () => {
  for (const button of document.querySelectorAll("[data-again]")) {
    const text = button.textContent;
    let left = Number(button.dataset.again);
    const tick = () => {
      button.disabled = left > 0;
      button.textContent = left > 0
        ? texts.countdown.replace("{text}", text).replace("{seconds}", left)
        : text;
      left -= 1;
      if (left >= 0) { window.setTimeout(tick, 1000); }
    };
    tick();
  }
};

const copy = async (text, status) => {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = texts.copied;
  } catch {
    status.textContent = texts.uncopied;
  }
};

const download = (text, name) => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  element("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
};

// What is shown once can be taken along.
const keep = () => {
  for (const box of document.querySelectorAll("[data-keep], [data-copy]")) {
    const codes = [...box.querySelectorAll("code")].map((it) => it.textContent);
    const status = element("p", { className: "quiet" });
    status.setAttribute("role", "status");
    const button = (text, act) => {
      const made = element("button", { type: "button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    const text = box.dataset.keep ? `${codes.join("\n")}\n` : codes.join("").replaceAll(" ", "");
    const buttons = element("div", { className: "choice keep" });
    buttons.append(button(texts.copy, () => copy(text, status)));
    if (box.dataset.keep) {
      buttons.append(
        button(texts.download, () => download(text, box.dataset.keep)),
        button(texts.print, () => window.print()),
      );
    }
    box.after(buttons, status);
  }
};

// A file becomes the text that the form sends.
const readFiles = () => {
  for (const field of document.querySelectorAll("textarea[data-file]")) {
    const hint = field.nextElementSibling;
    const input = element("input", { type: "file", required: field.required && !field.value });
    const label = document.querySelector(`label[for="${field.id}"]`);
    const invalid = field.getAttribute("aria-invalid");
    input.id = `${field.id}-file`;
    if (label) { label.htmlFor = input.id; }
    if (invalid) {
      input.setAttribute("aria-invalid", invalid);
      input.setAttribute("aria-describedby", field.getAttribute("aria-describedby"));
      field.removeAttribute("aria-invalid");
    }
    field.required = false;
    field.hidden = true;
    hint.textContent = "";
    hint.setAttribute("role", "status");
    input.addEventListener("change", () => {
      const [file] = input.files;
      field.value = "";
      hint.textContent = "";
      if (!file) { return; }
      const reader = new FileReader();
      reader.addEventListener("load", () => { field.value = reader.result; });
      reader.addEventListener("error", () => { hint.textContent = texts.unread; });
      reader.readAsDataURL(file);
    });
    field.before(input);
  }
};

// Another language is another document. What was typed comes along, but for passwords.
const keepTyped = () => {
  const key = `typed:${page.dataset.page}`;
  const fields = () => [...document.querySelectorAll("form :is(input, textarea, select)")].filter(
    (it) => it.name && !["hidden", "password", "file"].includes(it.type) && !("show" in it.dataset),
  );
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  if (kept) {
    const values = JSON.parse(kept);
    for (const [at, field] of fields().entries()) {
      const [name, value, checked] = values[at] ?? [];
      if (name !== field.name || field.readOnly) { continue; }
      if (["checkbox", "radio"].includes(field.type)) {
        field.checked = checked;
      } else {
        field.value = value;
      }
    }
  }
  document.querySelector(".languages")?.addEventListener("click", (event) => {
    if (!event.target.closest("a")) { return; }
    const values = fields().map((it) => [it.name, it.value, it.checked]);
    sessionStorage.setItem(key, JSON.stringify(values));
  });
};

// Whoever wants it is asked for nothing but the password the next time.
const rememberName = () => {
  const box = document.getElementById("remember");
  if (!box) { return; }
  const key = "gatelog-name";
  const field = document.getElementById("uid_field");
  const ticked = box.querySelector("input");
  const known = localStorage.getItem(key);
  box.hidden = false;
  ticked.checked = known !== null;
  if (known && !field.value) { field.value = known; }
  field.form.addEventListener("submit", () => {
    if (ticked.checked) {
      localStorage.setItem(key, field.value);
    } else {
      localStorage.removeItem(key);
    }
  });
};

// Reloading the answer to a form would send the form again.
const forgetForm = () => window.history.replaceState(window.history.state, "", window.location.href);

forgetForm();
sendOnce();
keepTyped();
rememberName();
readFiles();
showPasswords();
warnOfCapsLock();
pointOutErrors();
countDown();
focusOpened();
keep();
watch();
watchEnrolment();
