// How a script says a sentence: its words with the values in their places, `{name}`.

/** A sentence with its places filled in. */
export function say(template, values = {}) {
  return template.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** The sentence for one thing, or for many. */
export function counted(one, many, count) {
  return say(count === 1 ? one : many, { count });
}
