import { createLazyRoute } from '@tanstack/react-router'
import { StudioPage } from '@/features/studio/StudioPage'

export const Route = createLazyRoute('/studio')({ component: StudioPage })
