/** The mark: two shoots from one stool. */
export const Brand = () => (
  <>
    <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#1f5c43" />
      <path
        d="M16 26V16M16 20c0-6-5-7-8-11 0 7 2 10 8 11Zm0-4c0-6 4-7 7-11 1 7-1 10-7 11Z"
        fill="none"
        stroke="#d8f3e3"
        strokeWidth="2.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
    <span className="brand-name">Coppice</span>
  </>
)
