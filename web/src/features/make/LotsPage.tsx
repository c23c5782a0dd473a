export default function LotsPage() {
  return <h1>LotsPage</h1>;
}
