import { createLazyRoute } from '@tanstack/react-router'
import { EditorPage } from '@/features/studio/EditorPage'

export const Route = createLazyRoute('/studio/$id')({ component: EditorPage })
