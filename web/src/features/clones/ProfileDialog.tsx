import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { type OwnerClone, putClone } from '@/api/clones'
import { announce } from '@/live/announce'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { changeProfile } from './api'

const NAME_CHARS_MAX = 24
const BIO_CHARS_MAX = 280
const FIELD = 'w-full border border-input bg-bg px-2'

/** Another name or bio. */
export function ProfileDialog({ clone, onClose }: { clone: OwnerClone; onClose: () => void }) {
  const [name, setName] = useState(clone.name)
  const [bio, setBio] = useState(clone.bio)
  const save = useMutation({
    mutationFn: () => changeProfile(clone.clone_id, { name: name.trim(), bio: bio.trim() }),
    onSuccess: (made) => {
      putClone(made)
      announce('Profile saved')
      onClose()
    },
  })
  const changed = name.trim() !== clone.name || bio.trim() !== clone.bio
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (changed && name.trim()) save.mutate()
  }
  return (
    <Dialog open onClose={onClose} title="Edit profile" description="Everybody sees the name and the bio.">
      <form onSubmit={submit} className="space-y-3">
        <label className="block">
          <span className="mb-0.5 block text-xs text-muted">Name</span>
          <input
            data-first-focus
            data-testid="profile-name"
            className={`${FIELD} h-9`}
            maxLength={NAME_CHARS_MAX}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <label className="block">
          <span className="mb-0.5 flex justify-between text-xs text-muted">
            <span>Bio</span>
            <span className="figure">
              {bio.length} of {BIO_CHARS_MAX}
            </span>
          </span>
          <textarea
            data-testid="profile-bio"
            className={`${FIELD} h-24 py-1.5`}
            maxLength={BIO_CHARS_MAX}
            value={bio}
            onChange={(event) => setBio(event.target.value)}
          />
        </label>
        {save.error && (
          <p role="alert" className="text-sm text-warn" data-testid="profile-error">
            {save.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            look="accent"
            data-testid="save-profile"
            disabled={!changed || !name.trim() || save.isPending}
          >
            {save.isPending ? 'Saving…' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
