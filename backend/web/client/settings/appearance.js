// Language and theme, of this browser.
import { html, useState } from '../core/html.js';
import { Choice } from '../components/choice.js';
import { chooseTheme, theme } from '../core/appearance.js';
import { chooseLanguage, language, LANGUAGES, t } from '../core/i18n.js';

export function Appearance() {
  const [name, setName] = useState(theme());
  const change = (value) => {
    chooseTheme(value);
    setName(value);
  };
  const themes = { auto: t('As the system has it'), light: t('Light'), dark: t('Dark') };
  return html`
    <${Choice} label=${t('Theme')} name="theme" options=${themes} value=${name} onChange=${(event) => change(event.target.value)} />
    <${Choice} label=${t('Language')} name="language" options=${LANGUAGES} value=${language.value} onChange=${(event) => chooseLanguage(event.target.value)} />
  `;
}
