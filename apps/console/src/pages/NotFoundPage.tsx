import { Link } from "wouter"
import { Empty } from "../ui/Empty.tsx"

export const NotFoundPage = () => (
  <main className="page">
    <Empty icon="question" title="There is no such page">
      <Link href="/">All runs</Link>
    </Empty>
  </main>
)
