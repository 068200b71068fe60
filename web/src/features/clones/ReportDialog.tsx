import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { reportClone } from './api'

const REASON_CHARS_MAX = 280

/** Tell the operators that a name or a bio does not belong here. */
export function ReportDialog({ cloneId, onClose }: { cloneId: string; onClose: () => void }) {
  const [reason, setReason] = useState('')
  const send = useMutation({ mutationFn: () => reportClone(cloneId, reason.trim()) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (reason.trim()) send.mutate()
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="Report this clone"
      description="Say what is wrong with its name or bio. An operator will look at it."
    >
      {send.isSuccess ? (
        <p role="status" data-testid="report-sent">
          Thank you: it was reported.
        </p>
      ) : (
        <form onSubmit={submit} className="space-y-3">
          <textarea
            data-first-focus
            aria-label="Reason"
            data-testid="report-reason"
            className="h-24 w-full border border-input bg-bg px-2 py-1.5"
            maxLength={REASON_CHARS_MAX}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          {send.error && <p className="text-sm text-warn">{send.error.message}</p>}
          <div className="flex justify-end">
            <Button type="submit" disabled={!reason.trim() || send.isPending} data-testid="send-report">
              Send report
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
