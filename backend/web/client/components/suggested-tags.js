// Tags of links that are like one, to be taken over with a press.
import { html } from '../core/html.js';
import { suggestions } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { suggestedTags } from '../core/suggested-tags.js';
import { Icon } from './icon.js';

const NEIGHBOURS = 20;

/** @param {{ id: number, tags: string[], add: (tag: string) => void }} props */
export function SuggestedTags({ id, tags, add }) {
  const neighbours = useLoaded(() => suggestions(`bookmarks/${id}/similar`, { limit: NEIGHBOURS }), [id]);
  const names = suggestedTags(neighbours.data || [], tags);
  if (!names.length) return null;
  return html`
    <div class="stack-small" role="group" aria-label=${t('Suggested tags')}>
      <span class="hint">${t('Suggested tags')}</span>
      <div class="chips">${names.map((name) => html`<button key=${name} type="button" class="chip" aria-label=${t('Add tag {tag}', { tag: name })} onClick=${() => add(name)}>
        <${Icon} name="plus" /><span class="chip-text" dir="auto">${name}</span></button>`)}</div>
    </div>
  `;
}
