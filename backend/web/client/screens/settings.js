// Settings, a section each.
import { html } from '../core/html.js';
import { Screen } from '../components/screen.js';
import { Empty } from '../components/states.js';
import { t } from '../core/i18n.js';
import { Account } from '../settings/account.js';
import { Ai } from '../settings/ai.js';
import { Appearance } from '../settings/appearance.js';
import { Feeds } from '../settings/feeds.js';
import { Organizations } from '../settings/organizations.js';
import { Profile } from '../settings/profile.js';
import { Security } from '../settings/security.js';
import { Sessions } from '../settings/sessions.js';
import { Tokens } from '../settings/tokens.js';

const SECTIONS = () => [
  ['profile', t('Profile'), Profile],
  ['appearance', t('Appearance'), Appearance],
  ['sessions', t('Sessions'), Sessions],
  ['tokens', t('API tokens'), Tokens],
  ['organizations', t('Organizations'), Organizations],
  ['ai', t('Language model'), Ai],
  ['feeds', t('Feeds'), Feeds],
  ['security', t('Security events'), Security],
  ['account', t('Account'), Account],
];

export default function Settings({ parameters }) {
  const section = parameters.section || 'profile';
  const found = SECTIONS().find(([name]) => name === section);
  return html`
    <${Screen} title=${t('Settings')} narrow>
      <nav class="sections" aria-label=${t('Settings')}>
        ${SECTIONS().map(([name, label]) => html`<a key=${name} class="chip" href=${`settings/${name}`} aria-current=${name === section ? 'page' : undefined}>${label}</a>`)}
      </nav>
      ${found ? html`<section class="stack"><h2>${found[1]}</h2><${found[2]} /></section>` : html`<${Empty} icon="warning" title=${t('There is no such page.')} />`}
    <//>
  `;
}
