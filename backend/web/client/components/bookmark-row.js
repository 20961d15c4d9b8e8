// One bookmark of a list.
import { html } from '../core/html.js';
import { ago, moment } from '../core/dates.js';
import { t, tn } from '../core/i18n.js';
import { Highlighted } from './highlighted.js';
import { Icon } from './icon.js';
import { OuterLink } from './outer-link.js';

/** @param {any} bookmark what to call it */
export const titleOf = (bookmark) => bookmark.title || bookmark.url;

const CAPTURE = () => ({ pending: t('is being read'), failed: t('could not be read') });

/** @param {{ item: any }} props */
function Meta({ item }) {
  const capture = CAPTURE()[item.capture.status];
  const time = item.deleted_at || item.created_at;
  return html`
    <span class="row-meta">
      <span class="row-host">${item.domain}</span>
      <time datetime=${time} title=${moment(time)}>${ago(time)}</time>
      ${item.reading_minutes ? html`<span>${tn('{n} min', '{n} min', item.reading_minutes)}</span>` : null}
      ${capture && html`<span title=${item.capture.error || ''}><span class=${`dot dot-${item.capture.status}`}></span> ${capture}</span>`}
      ${item.tags.slice(0, 4).map((tag) => html`<a key=${tag} class="row-tag" href=${`library?tag=${encodeURIComponent(tag)}`}>#${tag}</a>`)}
    </span>
  `;
}

/**
 * @param {{ item: any, at: number, total: number, height: number, isChosen: boolean,
 *   choose: (id: number) => void, act: (ids: number[], action: string) => void }} props
 */
export function BookmarkRow({ item, at, total, height, isChosen, choose, act }) {
  const title = titleOf(item);
  const found = item.found?.highlights;
  const archive = item.deleted_at ? 'restore' : item.is_archived ? 'unarchive' : 'archive';
  return html`
    <li class=${`row ${item.is_read ? 'is-read' : ''}`} aria-setsize=${total} aria-posinset=${at + 1} data-at=${at}
      style=${{ transform: `translateY(${at * height}px)` }}>
      <input type="checkbox" checked=${isChosen} aria-label=${t('Select {title}', { title })} onChange=${() => choose(item.id)} />
      <div class="row-main">
        ${item.deleted_at
          ? html`<${OuterLink} class="row-title" dir="auto" href=${item.url}>${title}<//>`
          : html`<a class="row-title" dir="auto" href=${`bookmarks/${item.id}`}>${found?.title ? html`<${Highlighted} text=${found.title} />` : title}</a>`}
        ${found?.snippet && html`<span class="row-snippet" dir="auto"><${Highlighted} text=${found.snippet} /></span>`}
        <${Meta} item=${item} />
      </div>
      <div class="row-actions">
        ${!item.deleted_at && html`<button class="button quiet icon-only" aria-pressed=${item.is_favorite ? 'true' : 'false'} aria-label=${t('Favourite: {title}', { title })}
          onClick=${() => act([item.id], item.is_favorite ? 'unfavorite' : 'favorite')}><${Icon} name="star" /></button>`}
        <button class=${`button quiet icon-only ${item.deleted_at ? 'stays' : ''}`} aria-label=${archiveLabel(archive, title)} title=${item.deleted_at ? t('Restore') : undefined}
          onClick=${() => act([item.id], archive)}><${Icon} name=${item.deleted_at ? 'left' : 'archive'} /></button>
        ${!item.deleted_at && item.capture.status === 'captured' &&
        html`<a class="button quiet icon-only stays" href=${`bookmarks/${item.id}/read`} aria-label=${t('Read {title}', { title })}><${Icon} name="read" /></a>`}
      </div>
    </li>
  `;
}

/** @param {string} action @param {string} title */
function archiveLabel(action, title) {
  if (action === 'restore') return t('Restore {title}', { title });
  return action === 'archive' ? t('Archive {title}', { title }) : t('Move back to the library: {title}', { title });
}
