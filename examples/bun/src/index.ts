import { serve } from 'bun'
import index from './index.html'

// For development; the app itself needs no server.
const server = serve({ routes: { '/*': index }, development: process.env.NODE_ENV !== 'production' })

console.log(`Server running at ${server.url}`)
