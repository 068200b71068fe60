import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { myClonesQuery, type OwnerRun } from '@/api/clones'
import { Failure } from '@/ui/States'
import { type Instead, versionQuery } from './api'
import { partsIn } from './replay'

const FIELD = 'h-9 w-full border border-input bg-bg px-2'

interface Props {
  run: OwnerRun
  onChange: (part: Instead | undefined) => void
}

/** What decides in a version of any clone of theirs: its rule, or its words and its model. */
export function VersionChoice({ run, onChange }: Props) {
  const published = (useQuery(myClonesQuery).data ?? []).filter((one) => one.version !== null)
  const [cloneId, setCloneId] = useState<string>(run.clone_id)
  const [number, setNumber] = useState<number>()
  const [block, setBlock] = useState<string>()
  const newest = published.find((one) => one.clone_id === cloneId)?.version ?? run.version
  const version = useQuery(versionQuery(cloneId, number ?? newest))
  const parts = version.data ? partsIn(version.data.strategy) : []
  const part = parts.find((one) => one.id === block) ?? parts[0]
  // biome-ignore lint/correctness/useExhaustiveDependencies: the part follows from the version and what is chosen of it
  useEffect(() => onChange(part?.instead), [version.data, part?.id])
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Choice
        label="Clone"
        testId="version-clone"
        wide
        value={cloneId}
        onChange={(id) => {
          setCloneId(id)
          setNumber(undefined)
        }}
        options={published.map((one) => [one.clone_id, one.name])}
      />
      <Choice
        label="Version"
        testId="version-number"
        value={String(number ?? newest)}
        onChange={(chosen) => setNumber(Number(chosen))}
        options={Array.from({ length: newest }, (_, at) => [String(newest - at), String(newest - at)])}
      />
      {parts.length > 1 && (
        <Choice
          label="Block"
          testId="version-block"
          value={part?.id ?? ''}
          onChange={setBlock}
          options={parts.map((one) => [one.id, `${one.name} ${one.id}`])}
        />
      )}
      {version.error && (
        <Failure what="the version" error={version.error} onRetry={() => void version.refetch()} />
      )}
    </div>
  )
}

interface ChoiceProps {
  label: string
  testId: string
  value: string
  options: readonly (readonly [value: string, text: string])[]
  onChange: (value: string) => void
  wide?: boolean
}

function Choice({ label, testId, value, options, onChange, wide = false }: ChoiceProps) {
  return (
    <label className={wide ? 'min-w-0 flex-1 basis-56' : 'min-w-24'}>
      <span className="mb-0.5 block text-xs text-muted">{label}</span>
      <select
        data-testid={testId}
        className={FIELD}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
