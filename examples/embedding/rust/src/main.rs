//! kinglet-embed from Rust, with wasmtime: classify MODULE.wasm MODEL.kgl INPUT [OUTPUT]
//! In: kinglet-embed and a plan, or a bundle and "-"; a picture (binary PPM), or the bytes of input 0 as they are.
//! Out: the five best indices of output 0 and their scores, one pair a line; in the file OUTPUT, the bytes of output 0.

use std::{env, error::Error, fs, process::exit};
use wasmtime::{Engine, Instance, Memory, Module, Store, Val};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RGB8: u32 = 3; // kgl_preprocess: three bytes a pixel
const OWN: u32 = 1; // kgl_load: the block is the model's from now on
const TOP: u32 = 5;
const SCRATCH_BYTES: u32 = 512;

struct Kinglet {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    scratch: u32,
}

impl Kinglet {
    fn open(file: &str) -> Outcome<Self> {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, fs::read(file)?)?, &[])?;
        let memory = instance.get_memory(&mut store, "memory").ok_or("the module exports no memory")?;
        instance.get_typed_func::<(), ()>(&mut store, "_initialize")?.call(&mut store, ())?;
        let mut kinglet = Kinglet { store, instance, memory, scratch: 0 };
        kinglet.scratch = kinglet.address("kgl_alloc", &[SCRATCH_BYTES])?;
        Ok(kinglet)
    }

    fn invoke(&mut self, name: &str, words: &[u32]) -> Outcome<i32> {
        let function = self.instance.get_func(&mut self.store, name).ok_or("the module is not kinglet-embed")?;
        let words: Vec<Val> = words.iter().map(|&word| Val::I32(word as i32)).collect();
        let mut answer = [Val::I32(0)];
        function.call(&mut self.store, &words, &mut answer)?;
        Ok(answer[0].unwrap_i32())
    }

    /// An export that answers with a number; a negative one is minus an exit code.
    fn call(&mut self, name: &str, words: &[u32]) -> Outcome<u32> {
        match self.invoke(name, words)? {
            answer if answer >= 0 => Ok(answer as u32),
            _ => Err(self.sentence()?.into()),
        }
    }

    /// An export that answers with an address, which has no sign; 0 is a failure.
    fn address(&mut self, name: &str, words: &[u32]) -> Outcome<u32> {
        match self.invoke(name, words)? {
            0 => Err(self.sentence()?.into()),
            answer => Ok(answer as u32),
        }
    }

    fn sentence(&mut self) -> Outcome<String> {
        let length = self.invoke("kgl_error", &[self.scratch, SCRATCH_BYTES])?;
        Ok(String::from_utf8_lossy(self.read(self.scratch, length as u32)).into_owned())
    }

    fn put(&mut self, data: &[u8]) -> Outcome<u32> {
        let address = self.address("kgl_alloc", &[data.len().try_into()?])?;
        self.memory.write(&mut self.store, address as usize, data)?;
        Ok(address)
    }

    fn read(&self, address: u32, length: u32) -> &[u8] {
        &self.memory.data(&self.store)[address as usize..][..length as usize]
    }

    /// Address and length of the first input or output: the first two words of its descriptor.
    fn tensor(&mut self, name: &str, handle: u32) -> Outcome<(u32, u32)> {
        let descriptor = self.address(name, &[handle, 0])?;
        Ok((word(self.read(descriptor, 4)), word(self.read(descriptor + 4, 4))))
    }

    fn load(&mut self, file: &str) -> Outcome<u32> {
        if file == "-" {
            return self.call("kgl_load", &[0, 0, 0]);
        }
        let plan = fs::read(file)?;
        let address = self.put(&plan)?;
        self.call("kgl_load", &[address, plan.len().try_into()?, OWN])
    }

    fn fill(&mut self, handle: u32, file: &str) -> Outcome<()> {
        let data = fs::read(file)?;
        let (address, length) = self.tensor("kgl_input", handle)?;
        if let Some((width, height, pixels)) = picture(&data) {
            let pixels = self.put(pixels)?;
            self.call("kgl_preprocess", &[handle, 0, pixels, width, height, width * 3, RGB8])?;
        } else if data.len() == length as usize {
            self.memory.write(&mut self.store, address as usize, &data)?;
        } else {
            return Err(format!("{file} is neither a PPM picture nor a tensor of {length} bytes").into());
        }
        Ok(())
    }
}

/// Width, height and pixels of a PPM.
fn picture(data: &[u8]) -> Option<(u32, u32, &[u8])> {
    let mut rest = data;
    let mut next = || {
        let from = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let length = rest[from..].iter().position(u8::is_ascii_whitespace)?;
        let text = std::str::from_utf8(&rest[from..from + length]).ok()?;
        rest = &rest[from + length..];
        Some(text)
    };
    if next()? != "P6" {
        return None;
    }
    let (width, height, most): (u16, u16, u16) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let pixels = &rest[1..]; // one white space ends the head
    let fits = most == 255 && pixels.len() == usize::from(width) * usize::from(height) * 3;
    fits.then_some((width.into(), height.into(), pixels))
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn classify(words: &[String]) -> Outcome<()> {
    let (module, model, input) = match words {
        [_, module, model, input] | [_, module, model, input, _] => (module, model, input),
        _ => return Err("usage: MODULE.wasm MODEL.kgl|- INPUT [OUTPUT]".into()),
    };
    let mut kinglet = Kinglet::open(module)?;
    let handle = kinglet.load(model)?;
    kinglet.fill(handle, input)?;
    kinglet.call("kgl_run", &[handle])?;
    let found = kinglet.call("kgl_topk", &[handle, 0, TOP, kinglet.scratch])?;
    for pair in kinglet.read(kinglet.scratch, 8 * found).chunks_exact(8) {
        println!("{} {:.4}", word(pair), f32::from_bits(word(&pair[4..])));
    }
    if let Some(output) = words.get(4) {
        let (address, length) = kinglet.tensor("kgl_output", handle)?;
        fs::write(output, kinglet.read(address, length))?;
    }
    Ok(())
}

fn main() {
    if let Err(failure) = classify(&env::args().collect::<Vec<_>>()) {
        eprintln!("classify: {failure}");
        exit(1);
    }
}
