interface Props {
  cloneId: string
  size: number
}

/** The face of a clone, drawn by the server from its seed. */
export function Avatar({ cloneId, size }: Props) {
  return (
    <img
      src={`/v1/clones/${encodeURIComponent(cloneId)}/avatar.svg`}
      alt=""
      width={size}
      height={size}
      className="shrink-0 border border-line bg-raised"
    />
  )
}
