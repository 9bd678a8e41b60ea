// Shows what a captcha's provider asks, and puts its answer into the form. The provider's own
// script is loaded before this one and says by its name which one it is.
(() => {
  "use strict";
  const box = document.getElementById("captcha");
  const field = document.getElementById("captcha-token");
  const status = document.getElementById("captcha-status");
  const form = field.form;
  const interactive = box.dataset.interactive === "true";
  const alone = box.dataset.alone === "true";
  let again = null;
  let submitter = null;

  const say = (text) => { status.textContent = text; };
  const done = (token) => {
    field.value = token;
    say("");
    if (alone || submitter) { form.requestSubmit(alone ? undefined : submitter); }
  };
  const expired = () => {
    field.value = "";
    if (again) { again(); }
  };
  const failed = () => { say(box.dataset.failed); };
  const options = () => ({
    sitekey: box.dataset.sitekey,
    callback: done,
    "expired-callback": expired,
    "error-callback": failed,
  });

  const providers = {
    turnstile: (it) => {
      const id = it.render(box, options());
      again = () => it.reset(id);
    },
    hcaptcha: (it) => {
      const id = it.render(box, { ...options(), size: interactive ? "normal" : "invisible" });
      again = () => { it.reset(id); if (!interactive) { it.execute(id); } };
      if (!interactive) { it.execute(id); }
    },
    grecaptcha: (it) => it.ready(() => {
      const id = it.render(box, { ...options(), size: interactive ? "normal" : "invisible" });
      again = () => { it.reset(id); if (!interactive) { it.execute(id); } };
      if (!interactive) { it.execute(id); }
    }),
  };

  // Beside other questions the visitor may be faster than the provider: the form waits for it.
  form.addEventListener("submit", (event) => {
    if (field.value) { return; }
    event.preventDefault();
    submitter = event.submitter ?? undefined;
    say(box.dataset.wait);
  });

  let patience = 300;
  const look = () => {
    // hCaptcha also goes by the name of reCAPTCHA, so it is asked for first.
    const name = ["turnstile", "hcaptcha", "grecaptcha"].find((name) => window[name]);
    const ready = name && (window[name].render || window[name].ready);
    if (ready) {
      try { providers[name](window[name]); } catch { failed(); }
    } else if (patience > 0) {
      patience -= 1;
      window.setTimeout(look, 100);
    } else {
      failed();
    }
  };
  look();
})();
