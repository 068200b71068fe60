import { useQuery } from '@tanstack/react-query'
import { Button } from '@/ui/Button'
import { houseQuery } from './api'
import { useActions } from './store'
import { withDefaults } from './strategy'

/** An empty canvas: begin with the palette, or with a strategy of the house. */
export function StartFrom() {
  const house = useQuery(houseQuery)
  const { change } = useActions()
  return (
    <div className="mb-3 flex flex-wrap items-center gap-1 border-l-2 border-line py-1 pl-3 text-sm">
      <span className="mr-1 text-muted">The canvas is empty. Start with</span>
      {house.data?.map((one) => (
        <Button
          key={one.name}
          size="small"
          title={one.summary}
          onClick={() =>
            change(() => ({ strategy: withDefaults(one.strategy), layout: {} }), {
              said: `Started from ${one.title}`,
            })
          }
        >
          {one.title}
        </Button>
      ))}
    </div>
  )
}
