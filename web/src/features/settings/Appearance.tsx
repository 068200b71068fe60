import type { ReactNode } from 'react'
import { browserZone } from '@/lib/time'
import { Pnl } from '@/ui/Figure'
import { Panel } from '@/ui/Panel'
import { type Palette, type Theme, usePreferences } from '@/ui/preferences'
import { Segmented } from '@/ui/Segmented'

const ZONES = ['browser', 'UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]

/** Theme, palette and time zone, kept in this browser. */
export function Appearance() {
  const { theme, palette, zone } = usePreferences()
  return (
    <Panel title="Appearance">
      <Setting label="Theme">
        <Segmented<Theme>
          label="Theme"
          size="small"
          value={theme}
          onChange={(next) => usePreferences.setState({ theme: next })}
          options={[
            { value: 'dark', label: 'Night' },
            { value: 'light', label: 'Day' },
            { value: 'system', label: 'System' },
          ]}
        />
      </Setting>
      <Setting label="Gain and loss" hint="The default pair is told apart by every kind of colour vision.">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <span className="flex gap-3 text-sm whitespace-nowrap">
            <Pnl micros={12_500_000n} />
            <Pnl micros={-8_250_000n} />
          </span>
          <Segmented<Palette>
            label="Gain and loss colours"
            size="small"
            value={palette}
            onChange={(next) => usePreferences.setState({ palette: next })}
            options={[
              { value: 'night', label: 'Blue / orange', testId: 'palette-night' },
              { value: 'classic', label: 'Green / red', testId: 'palette-classic' },
              { value: 'red-up', label: 'Red up', testId: 'palette-red-up' },
            ]}
          />
        </div>
      </Setting>
      <Setting label="Time zone" hint="The server counts in its own time; only the display changes.">
        <select
          aria-label="Time zone"
          data-testid="time-zone"
          className="h-8 max-w-full border border-input bg-bg px-2"
          value={zone}
          onChange={(event) => usePreferences.setState({ zone: event.target.value })}
        >
          {ZONES.map((one) => (
            <option key={one} value={one}>
              {one === 'browser' ? `Browser (${browserZone()})` : one}
            </option>
          ))}
        </select>
      </Setting>
    </Panel>
  )
}

function Setting({ label, hint, children }: { label: string; hint?: string; children: ReactNode }) {
  return (
    <div className="flex min-h-12 flex-wrap items-center justify-between gap-x-6 gap-y-2 border-b border-line py-2">
      <div className="min-w-0">
        <p>{label}</p>
        {hint && <p className="text-xs text-muted">{hint}</p>}
      </div>
      {children}
    </div>
  )
}
