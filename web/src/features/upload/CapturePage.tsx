export default function CapturePage() {
  return <h1>CapturePage</h1>;
}
