// Tasks as a tree, and where a step up, down, in or out of it leads.

/** @typedef {{ task: any, children: Branch[] }} Branch */

/** The tree of a list of tasks, each level by position. @param {any[]} tasks @returns {Branch[]} */
export function treeOf(tasks) {
  const ids = new Set(tasks.map((task) => task.id));
  const below = (parent) =>
    tasks
      .filter((task) => (ids.has(task.parent_id) ? task.parent_id : null) === parent)
      .sort((a, b) => a.position - b.position)
      .map((task) => ({ task, children: below(task.id) }));
  return below(null);
}

/** The siblings of a task, and where it stands among them. @param {Branch[]} tree @param {number} id @param {any} [parent] */
function place(tree, id, parent = null) {
  const at = tree.findIndex((branch) => branch.task.id === id);
  if (at >= 0) return { siblings: tree, at, parent };
  for (const branch of tree) {
    const found = place(branch.children, id, branch.task);
    if (found) return found;
  }
  return null;
}

/**
 * The body of POST /tasks/{id}/move for a step; null where there is no way.
 * @param {Branch[]} tree
 * @param {number} id
 * @param {'up' | 'down' | 'in' | 'out'} step
 */
export function moveOf(tree, id, step) {
  const found = place(tree, id);
  if (!found) return null;
  const { siblings, at, parent } = found;
  const before = siblings[at - 1]?.task;
  const after = siblings[at + 1]?.task;
  if (step === 'up') return before ? { before_id: before.id } : null;
  if (step === 'down') return after ? { after_id: after.id } : null;
  if (step === 'in') return before ? { parent_id: before.id } : null;
  return parent ? { after_id: parent.id } : null;
}
