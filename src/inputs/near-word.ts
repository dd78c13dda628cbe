/** The word that somebody meant: "Did you mean …?". */

/** The known word that the written one is a typing error of, whatever its case; undefined where it is like none. */
export function findNear<Word extends string>(written: string, known: readonly Word[]): Word | undefined {
  return known.find(word => isNear(written.toLowerCase(), word.toLowerCase()))
}

/** One letter too many, too few, wrong, or two that changed places. */
function isNear(one: string, other: string): boolean {
  if (one === other) return true
  const start = [...one].findIndex((letter, index) => letter !== other[index])
  const from = start === -1 ? one.length : start
  const [rest, wanted] = [one.slice(from), other.slice(from)]
  const swapped = `${rest[1] ?? ''}${rest[0] ?? ''}${rest.slice(2)}`
  return (
    rest.slice(1) === wanted ||
    rest === wanted.slice(1) ||
    rest.slice(1) === wanted.slice(1) ||
    swapped === wanted
  )
}
