// Stands in for authentik's own interface: reads the page as it does, and asks as it does.

const { api, brand, config, flow } = window.authentik;

const questions = {
  'ak-stage-identification': 'uid_field',
  'ak-stage-password': 'password',
};

class Executor extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' });
    document.title = `${flow.title} - ${brand.branding_title}`;
    document.documentElement.dataset.config = Object.keys(config).join(' ');
    this.ask();
    this.listen(200);
  }

  async ask(answer) {
    const query = encodeURIComponent(location.search.slice(1));
    const address = `${api.base}api/v3/flows/executor/${this.getAttribute('slug')}/?query=${query}`;
    const csrf = /authentik_csrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
    const headers = { 'X-authentik-CSRF': csrf, 'Content-Type': 'application/json' };
    const post = answer && { method: 'POST', headers, body: JSON.stringify(answer) };
    const response = await fetch(address, post || { headers: { 'X-authentik-CSRF': csrf } });
    this.show(await response.json());
  }

  show(challenge) {
    if (challenge.component === 'xak-flow-redirect') {
      location.assign(challenge.to);
      return;
    }
    // The styles that it writes into its pages are what `unsafe-inline` is for.
    this.shadowRoot.innerHTML = '<style>input { color: rgb(1, 2, 3) }</style><form></form>';
    const form = this.shadowRoot.querySelector('form');
    const field = document.createElement('input');
    field.name = questions[challenge.component] ?? 'answer';
    form.append(field, document.createElement('button'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.ask({ component: challenge.component, [field.name]: field.value });
    });
    this.dataset.component = challenge.component;
  }

  listen(delay) {
    const socket = new WebSocket(`${api.base.replace(/^http/, 'ws')}ws/client/`);
    socket.addEventListener('open', () => { this.dataset.listens = 'yes'; });
    socket.addEventListener('message', (event) => {
      this.dataset.heard = JSON.parse(event.data).message_type;
    });
    socket.addEventListener('close', () => setTimeout(() => this.listen(delay * 2), delay));
  }
}

customElements.define('ak-flow-executor', Executor);
