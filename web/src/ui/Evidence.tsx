interface Props {
  title: string
  /** Text, or JSON that is laid out to be read. */
  text: unknown
  note?: string
}

/** A document that a decision was made from or with, folded away. It is shown as text and never as markup. */
export function Evidence({ title, text, note }: Props) {
  return (
    <details className="group/evidence border-b border-line" data-testid={`evidence-${title.toLowerCase()}`}>
      <summary className="flex h-9 items-center gap-2 text-sm font-medium">
        <span aria-hidden="true" className="text-muted group-open/evidence:rotate-90">
          ▸
        </span>
        {title}
      </summary>
      {note && <p className="figure mb-1 text-xs break-all text-muted">{note}</p>}
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse
        tabIndex={0}
        className="figure mb-2 max-h-80 overflow-auto border border-line bg-surface p-2 text-xs"
      >
        {laidOut(text)}
      </pre>
    </details>
  )
}

function laidOut(text: unknown): string {
  if (typeof text !== 'string') return JSON.stringify(text, null, 2)
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
