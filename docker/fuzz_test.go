package docker

import (
	"encoding/json"
	"testing"

	"github.com/docker/docker/api/types/container"
)

// FuzzParseTop: whatever ps prints, and however the engine splits it, is a list with a title for each line, or an error.
func FuzzParseTop(f *testing.F) {
	for _, text := range []string{
		`{"Titles":["PID","PPID","COMMAND"],"Processes":[["1","0","nginx: master process"],["7","1","nginx: worker process is shutting down"]]}`,
		`{"Titles":["COMMAND","PID","PPID"],"Processes":[["a b","1","0"]]}`, `{"Titles":["PID","PID","PPID","COMMAND"],"Processes":[["1","2","3","a"]]}`,
		`{"Titles":["PID","PPID","COMMAND"],"Processes":[["1"]]}`, `{"Titles":["PID","PPID","COMMAND"],"Processes":[["x","0","a"],["1","99999999999999999999","a"]]}`,
		`{"Titles":["PID"],"Processes":[[]]}`, `{"Titles":null,"Processes":[null]}`, `{"Titles":["PID","PPID","COMMAND"],"Processes":[["1","0",""]]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var answer container.TopResponse
		if json.Unmarshal(text, &answer) != nil {
			return
		}
		list, err := parseTop(answer)
		if err == nil && len(list) != len(answer.Processes) {
			t.Errorf("%d processes of %d lines", len(list), len(answer.Processes))
		}
	})
}
