// Whose collection is shown: one's own, or that of an organization.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { chooseOrganization, session } from '../core/session.js';
import { forgetLists } from '../core/bookmark-list.js';

export function OrganizationSwitcher() {
  const { organizations, organizationId, user } = session.value;
  if (organizations.length < 2) return html`<p class="who">${user?.username}</p>`;
  function choose(event) {
    forgetLists();
    chooseOrganization(Number(event.target.value));
  }
  return html`
    <label class="switcher">
      <span>${t('Organization')}</span>
      <select onChange=${choose} value=${organizationId}>
        ${organizations.map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === organizationId}>${one.name}</option>`)}
      </select>
    </label>
  `;
}
