public class AppTest {
	@org.junit.Test
	public void adds() {
		org.junit.Assert.assertEquals(5, App.add(2, 3));
	}
}
