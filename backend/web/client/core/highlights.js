// Search results say by <mark> what was found, and escape all else: read as text, not as markup.
const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#34;': '"', '&#x27;': "'" };

/** Pieces of a highlighted text, each with whether it was found. @param {string} marked */
export function pieces(marked) {
  return marked
    .split(/(<mark>.*?<\/mark>)/s)
    .filter(Boolean)
    .map((piece) => {
      const isFound = piece.startsWith('<mark>');
      return { isFound, text: unescape(isFound ? piece.slice(6, -7) : piece) };
    });
}

/** @param {string} text */
function unescape(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#39|#34|#x27);/g, (entity) => ENTITIES[entity]);
}
