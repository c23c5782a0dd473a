package deploy

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

type prometheusConfig struct {
	Global struct {
		ScrapeInterval     string `yaml:"scrape_interval"`
		EvaluationInterval string `yaml:"evaluation_interval"`
	} `yaml:"global"`
	RuleFiles     []string `yaml:"rule_files"`
	ScrapeConfigs []struct {
		JobName       string `yaml:"job_name"`
		StaticConfigs []struct {
			Targets []string `yaml:"targets"`
		} `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
}

type alerts struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

type dashboard struct {
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID         int    `json:"id"`
	Type       string `json:"type"`
	Title      string `json:"title"`
	Datasource struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
	GridPos struct{ X, Y, W, H int } `json:"gridPos"`
}

func readDashboard(t *testing.T) *dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, filepath.Join("grafana", "dashboards", "verilot.json"))), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// asked are the metrics that the dashboard and the alerts name, by where they do.
func asked(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	add := func(where, expr string) {
		e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
		if err != nil {
			t.Errorf("%s: %s: %v", where, expr, err)
			return
		}
		parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok {
				out[where] = append(out[where], v.Name)
			}
			return nil
		})
	}
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			add("panel "+p.Title, target.Expr)
		}
	}
	var a alerts
	load(t, filepath.Join("prometheus", "alerts.yml"), &a)
	for _, g := range a.Groups {
		for _, r := range g.Rules {
			add("alert "+r.Alert, r.Expr)
		}
	}
	return out
}

// TestMonitoring: Prometheus asks every service where it listens, Grafana finds its files, and what both ask for can be parsed. That the
// metrics exist is shown by TestDeployed, on services that run.
func TestMonitoring(t *testing.T) {
	var c prometheusConfig
	var l layout
	load(t, filepath.Join("prometheus", "prometheus.yml"), &c)
	load(t, filepath.Join("layouts", "compose.yaml"), &l)
	p := composeProject(t)
	scraped, jobs := map[string]bool{}, map[string]bool{}
	for _, s := range c.ScrapeConfigs {
		jobs[s.JobName] = true
		for _, targets := range s.StaticConfigs {
			for _, target := range targets.Targets {
				scraped[target] = true
			}
		}
	}
	want := 0
	for name, at := range l.Services {
		if strings.HasPrefix(name, "nats-") {
			continue
		}
		want++
		if !scraped[name+":"+at.port()] {
			t.Errorf("prometheus does not ask %s:%s", name, at.port())
		}
		if _, ok := p.Services[name].Networks["monitoring"]; !ok {
			t.Errorf("prometheus cannot reach %s", name)
		}
	}
	if len(scraped) != want {
		t.Errorf("prometheus asks %d addresses, and there are %d services", len(scraped), want)
	}
	mounted := func(service, target string) bool {
		s := p.Services[service]
		for _, v := range s.Volumes {
			if v.Target == target || strings.HasPrefix(target, v.Target+"/") && exists(filepath.Join(v.Source, strings.TrimPrefix(target, v.Target))) {
				return true
			}
		}
		return false
	}
	for _, f := range append(c.RuleFiles, "/etc/prometheus/prometheus.yml") {
		if !mounted("prometheus", f) {
			t.Errorf("prometheus has no %s", f)
		}
	}
	if home := p.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; home == nil || !mounted("grafana", *home) {
		t.Error("grafana does not find its first page")
	}
	var source struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool `yaml:"isDefault"`
			Editable                     bool
		} `yaml:"datasources"`
	}
	load(t, filepath.Join("grafana", "provisioning", "datasources", "prometheus.yaml"), &source)
	var provider struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type     string
			AllowUIUpdates bool `yaml:"allowUiUpdates"`
			Options        struct{ Path string }
		}
	}
	load(t, filepath.Join("grafana", "provisioning", "dashboards", "verilot.yaml"), &provider)
	if len(provider.Providers) != 1 || !mounted("grafana", provider.Providers[0].Options.Path) {
		t.Error("grafana does not find the dashboards")
	}
	d := readDashboard(t)
	seen := map[int]bool{}
	for _, p := range d.Panels {
		if seen[p.ID] || p.ID == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: id %d, at %+v", p.Title, p.ID, p.GridPos)
		}
		if seen[p.ID] = true; p.Type != "row" && (len(p.Targets) == 0 || p.Datasource.UID != source.Datasources[0].UID) {
			t.Errorf("panel %q asks nothing, or nobody", p.Title)
		}
	}
	all := asked(t)
	if len(all) < 20 {
		t.Errorf("%d panels and alerts ask for something", len(all))
	}
	job := regexp.MustCompile(`job="(\w+)"`)
	var a alerts
	load(t, filepath.Join("prometheus", "alerts.yml"), &a)
	for _, r := range a.Groups[0].Rules {
		for _, m := range job.FindAllStringSubmatch(r.Expr, -1) {
			if !jobs[m[1]] {
				t.Errorf("alert %s: there is no job %s", r.Alert, m[1])
			}
		}
		if !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) || r.Annotations["summary"] == "" {
			t.Errorf("alert %s lacks a severity or a summary", r.Alert)
		}
	}
}
