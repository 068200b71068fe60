import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useRef, useState } from 'react'
import { newIdempotencyKey } from '@/api/client'
import { myClonesQuery } from '@/api/clones'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { createClone, houseQuery, saveDraft } from './api'
import { Field, INPUT } from './fields'

const NAME_CHARS_MAX = 24
const BIO_CHARS_MAX = 280

interface Props {
  /** The house strategy to begin with; an empty canvas without one. */
  house?: string
  onClose: () => void
}

/** A name and a bio; the strategy comes after. */
export function CreateClone({ house, onClose }: Props) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [bio, setBio] = useState('')
  const intent = useRef({ for: '', key: '' })
  const create = useMutation({
    mutationFn: async () => {
      const wanted = `${name.trim()}\n${bio.trim()}`
      if (intent.current.for !== wanted) intent.current = { for: wanted, key: newIdempotencyKey() }
      const clone = await createClone({ name: name.trim(), bio: bio.trim() }, intent.current.key)
      const strategy = house && (await client.ensureQueryData(houseQuery)).find((one) => one.name === house)
      if (strategy) {
        const doc = { strategy: strategy.strategy, layout: {} }
        await saveDraft(clone.clone_id, doc, { baseVersion: null, revision: clone.draft_revision })
      }
      return clone
    },
    onSuccess: async (clone) => {
      await client.invalidateQueries(myClonesQuery)
      onClose()
      await navigate({ to: '/studio/$id', params: { id: clone.clone_id } })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim()) create.mutate()
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="New clone"
      description="Name and bio are public. The strategy is yours alone."
    >
      <form onSubmit={submit} className="space-y-3">
        <Field
          label="Name"
          hint="3 to 24 letters and digits of one script; spaces and - _ . ' inside. It begins and ends with a letter or digit and looks like nobody else's."
        >
          <input
            data-first-focus
            data-testid="clone-name"
            className={`${INPUT} h-9!`}
            maxLength={NAME_CHARS_MAX}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <Field label="Bio" hint={`${bio.length} of ${BIO_CHARS_MAX}`}>
          <textarea
            className={`${INPUT} h-20! py-1.5`}
            maxLength={BIO_CHARS_MAX}
            value={bio}
            onChange={(event) => setBio(event.target.value)}
          />
        </Field>
        {create.error && (
          <p role="alert" className="text-sm text-warn" data-testid="create-error">
            {create.error.message}
          </p>
        )}
        <div className="flex justify-end">
          <Button
            type="submit"
            look="accent"
            data-testid="confirm-create"
            disabled={!name.trim() || create.isPending}
          >
            {create.isPending ? 'Creating…' : 'Create clone'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
