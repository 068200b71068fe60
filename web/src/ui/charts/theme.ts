/** Charts are drawn on a canvas and cannot read CSS variables: this hands them over. */
import { ColorType, type DeepPartial, LineStyle, type TimeChartOptions } from 'lightweight-charts'
import { DAY_MS, formatDate, formatDateTime, formatMinute, formatTime, MINUTE_MS } from '@/lib/time'

export interface ChartColours {
  gain: string
  loss: string
  text: string
  muted: string
  line: string
  surface: string
  accent: string
}

/** The colours of the theme and palette on the screen now. */
export function chartColours(): ChartColours {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    gain: read('gain'),
    loss: read('loss'),
    text: read('text'),
    muted: read('muted'),
    line: read('line'),
    surface: read('raised'),
    accent: read('accent'),
  }
}

/** Options every chart shares: ink background, ruled grid, times in the chosen zone. */
export function chartOptions(colours: ChartColours, zone: string): DeepPartial<TimeChartOptions> {
  const rule = { color: colours.line, style: LineStyle.Dotted }
  const crosshair = { color: colours.muted, labelBackgroundColor: colours.surface }
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: 'transparent' },
      textColor: colours.muted,
      fontFamily: '"IBM Plex Mono", monospace',
      fontSize: 11,
      panes: { separatorColor: colours.line, separatorHoverColor: colours.surface },
    },
    grid: { vertLines: { visible: false }, horzLines: rule },
    crosshair: { vertLine: crosshair, horzLine: crosshair },
    rightPriceScale: { borderColor: colours.line },
    timeScale: {
      borderColor: colours.line,
      timeVisible: true,
      secondsVisible: false,
      rightOffset: 4,
      tickMarkFormatter: (seconds: unknown) => axisLabel(Number(seconds) * 1_000, zone),
    },
    localization: { timeFormatter: (seconds: unknown) => formatDateTime(Number(seconds) * 1_000, zone) },
  }
}

/** The library draws its logo as a link without a name, which a keyboard reaches. */
export function nameLogo(box: HTMLElement) {
  const name = () => {
    for (const link of box.querySelectorAll('a:not([aria-label])'))
      link.setAttribute('aria-label', 'Charts by TradingView')
  }
  name()
  // It is drawn anew when the chart gets another pane.
  new MutationObserver(name).observe(box, { childList: true, subtree: true })
}

function axisLabel(ms: number, zone: string): string {
  const minute = ms % MINUTE_MS === 0 ? formatMinute(ms, zone) : formatTime(ms, zone)
  return minute === '00:00' || ms % DAY_MS === 0 ? formatDate(ms, zone).slice(5) : minute
}
