import { createLazyRoute } from '@tanstack/react-router'
import { ClonePage } from '@/features/clones/ClonePage'

export const Route = createLazyRoute('/clones/$id')({ component: ClonePage })
