/** Who a line of a chart is: a hue with a dash pattern, so that neither alone has to tell them apart. */
export const IDENTITIES = [
  { colour: 'text', dash: 'solid' },
  { colour: '#56B4E9', dash: 'dashed' },
  { colour: '#E69F00', dash: 'dotted' },
  { colour: '#CC79A7', dash: 'large' },
  { colour: '#009E73', dash: 'sparse' },
] as const

export const LINES_MAX = IDENTITIES.length

const DASHES = { solid: '', dashed: '6 4', dotted: '2 3', large: '10 5', sparse: '2 7' } as const

/** Dash array of the same pattern in SVG. */
export const dashArray = (at: number) => DASHES[IDENTITIES[at]?.dash ?? 'solid']

export const colourOf = (at: number) => {
  const colour = IDENTITIES[at]?.colour ?? 'text'
  return colour === 'text' ? 'var(--text)' : colour
}
