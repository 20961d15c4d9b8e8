// What happened to the account.
import { html } from '../core/html.js';
import { securityEventName } from '../components/event-names.js';
import { Loaded } from '../components/states.js';
import { get } from '../core/api.js';
import { moment } from '../core/dates.js';
import { useLoaded } from '../core/loading.js';

export function Security() {
  const events = useLoaded((signal) => get('profile/security-events', { page_size: 50 }, signal), []);
  return html`<${Loaded} of=${events}>${(data) => html`<ul class="entries">${data.items.map((event) => html`<li key=${event.id}>
    <div class="entry-main"><span>${securityEventName(event.kind)}</span><p class="muted">${event.ip} · ${event.user_agent}</p></div>
    <time class="muted" datetime=${event.created_at}>${moment(event.created_at)}</time></li>`)}</ul>`}<//>`;
}
