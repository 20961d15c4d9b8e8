// Tags that a link may want: those that its nearest neighbours in meaning carry.
const LEAST_SCORE = 0.3;
const MOST = 6;

/**
 * The best first: each neighbour votes for its tags by how near it is, and a tag needs two votes or a very near one.
 * @param {{ bookmark: { tags: string[] }, score: number }[]} neighbours
 * @param {string[]} present tags that the link carries
 */
export function suggestedTags(neighbours, present) {
  /** @type {Map<string, { name: string, score: number, votes: number }>} */
  const votes = new Map();
  const taken = new Set(present.map((name) => name.toLowerCase()));
  for (const { bookmark, score } of neighbours.filter((one) => one.score >= LEAST_SCORE)) {
    for (const name of bookmark.tags) {
      const before = votes.get(name) || { name, score: 0, votes: 0 };
      votes.set(name, { name, score: before.score + score, votes: before.votes + 1 });
    }
  }
  return [...votes.values()]
    .filter((one) => !taken.has(one.name.toLowerCase()) && (one.votes > 1 || one.score > 2 * LEAST_SCORE))
    .sort((a, b) => b.score - a.score || a.name.localeCompare(b.name))
    .slice(0, MOST)
    .map((one) => one.name);
}
